(() => {
  const $ = (name) => document.getElementById(name);
  const cards = [...document.querySelectorAll("#pairs .card")];
  const sheets = [...document.querySelectorAll("#pairs .sheet")];
  const classed = [...document.querySelectorAll("#gate .card")];
  if (!$("tools")) return;
  const value = (card, score) => (score ? JSON.parse(card.dataset.scores)[score] : undefined);
  const short = (number) => Number(number).toPrecision(3).replace(/\.?0+$/, "");

  function ends() {
    const option = $("score").selectedOptions[0];
    const [low, high] = [Number(option.dataset.low), Number(option.dataset.high)];
    const at = (slider) => low + (high - low) * slider.value / 100;
    return [at($("from")), at($("to")), (high - low) / 1e6];
  }

  function filter() {
    const [name, score] = [$("class").value, $("score").value];
    const [low, high, slack] = score ? ends() : [0, 0, 0];
    $("from").disabled = $("to").disabled = $("order").disabled = !score;
    $("from-value").textContent = score ? short(low) : "";
    $("to-value").textContent = score ? short(high) : "";
    for (const card of cards) {
      const found = value(card, score);
      const inside = !score || (found !== undefined && found >= low - slack && found <= high + slack);
      card.hidden = !((!name || card.dataset.class === name) && inside);
    }
    for (const card of classed) card.hidden = Boolean(name) && card.dataset.class !== name;
    map.only(name);
    for (const sheet of sheets) sheet.hidden = !sheet.querySelector(".card:not([hidden])");
    const count = cards.filter((card) => !card.hidden).length;
    $("count").textContent = count + " of " + cards.length + " pairs shown";
  }

  function order() {
    const [score, way] = [$("score").value, $("order").value];
    const sign = way === "up" ? 1 : -1;
    for (const sheet of sheets) {
      const own = cards.filter((card) => sheet.contains(card));
      if (score && way) {
        const last = sign * Infinity;
        own.sort((a, b) => sign * ((value(a, score) ?? last * sign) - (value(b, score) ?? last * sign)));
      }
      sheet.querySelector(".cards").append(...own);
    }
  }

  for (const name of ["class", "score", "from", "to"]) $(name).addEventListener("input", filter);
  for (const name of ["score", "order"]) $(name).addEventListener("input", order);
  $("score").addEventListener("input", () => { $("from").value = 0; $("to").value = 100; filter(); });
  $("tools").hidden = false;
  $("more").open = !matchMedia("(max-width: 40rem)").matches;
  filter();
})();
