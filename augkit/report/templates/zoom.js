// Pictures in large: one, or a pair beside its exemplar and the real pairs that it is nearest to.
const zoom = (() => {
  const $ = (name) => document.getElementById(name);
  const dialog = $("zoom");
  let items = [], item = 0, tile = 0, both = false, start = null;

  function lay(percent) {
    document.documentElement.style.setProperty("--overlay", percent / 100);
    for (const slider of document.querySelectorAll("#overlay, #zoom-overlay")) slider.value = percent;
    for (const text of document.querySelectorAll("#overlay-value, output[for=zoom-overlay]")) text.textContent = percent + " %";
  }

  function figure(own) {
    const stack = document.createElement("div");
    stack.className = "stack";
    for (const [source, kind] of [[own.photo, ""], [own.mask, own.photo ? "mask" : "mask only"]]) {
      if (!source) continue;
      const image = document.createElement("img");
      image.src = source;
      image.className = kind;
      image.alt = kind === "mask" ? "" : own.text;
      stack.append(image);
    }
    const caption = document.createElement("figcaption");
    const [role, name, label, box] = ["b", "code", "label", "input"].map((kind) => document.createElement(kind));
    role.textContent = own.role;
    name.textContent = own.key;
    Object.assign(box, { type: "checkbox", className: "mark", ariaLabel: "leave out " + own.key });
    Object.assign(box.dataset, { key: own.key, real: own.real ? "1" : "0" });
    label.append(box, " leave out");
    caption.append(role, " ", name, " ", label);
    const whole = document.createElement("figure");
    whole.append(stack, caption);
    return whole;
  }

  function draw() {
    const own = items[item];
    $("zoom-title").textContent = own.title;
    $("zoom-count").textContent = item + 1 + " of " + items.length;
    $("zoom-stage").classList.toggle("both", both);
    $("zoom-stage").replaceChildren(...(both ? own.tiles : [own.tiles[tile]]).map(figure));
    $("zoom-facts").replaceChildren(...own.facts());
    $("zoom-both").setAttribute("aria-pressed", String(both));
    $("zoom-both").disabled = own.tiles.length < 2;
    marks.show();
  }

  function go(by) {
    const within = tile + by;
    if (!both && within >= 0 && within < items[item].tiles.length) tile = within;
    else {
      item = (item + by + items.length) % items.length;
      tile = by < 0 && !both ? items[item].tiles.length - 1 : 0;
    }
    draw();
  }

  function open(list, place, which = 0, compare = false) {
    [items, item, tile, both] = [list, place, which, compare];
    draw();
    dialog.showModal();
    $("zoom-next").focus();
  }

  function toggle() {
    if (items[item].tiles.length > 1) both = !both;
    draw();
  }

  function mark() {
    const own = items[item].tiles[both ? 0 : tile];
    marks.set(own.key, own.real, !marks.has(own.key));
  }

  const keys = {
    ArrowLeft: () => go(-1), ArrowRight: () => go(1), s: toggle, x: mark,
    m: () => lay(Number($("zoom-overlay").value) ? 0 : 60),
  };
  dialog.addEventListener("keydown", (event) => {
    const act = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (!act || event.target.type === "range" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  $("zoom-stage").addEventListener("touchstart", (event) => { start = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  $("zoom-stage").addEventListener("touchend", (event) => {
    if (!start) return;
    const [dx, dy] = [event.changedTouches[0].clientX - start.clientX, event.changedTouches[0].clientY - start.clientY];
    if (Math.abs(dx) > 40 && Math.abs(dx) > 2 * Math.abs(dy)) go(dx < 0 ? 1 : -1);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  for (const [name, act] of [["previous", () => go(-1)], ["next", () => go(1)], ["both", toggle], ["close", () => dialog.close()]]) {
    $("zoom-" + name).addEventListener("click", act);
  }
  for (const slider of document.querySelectorAll("#overlay, #zoom-overlay")) slider.addEventListener("input", () => lay(slider.value));

  // The cards of the page: what is seen of them when one is opened is what the arrows go through.
  const tileOf = (button) => ({
    photo: button.querySelector("img:not(.mask)")?.src, mask: button.querySelector("img.mask").src,
    role: button.parentElement.querySelector(".role").textContent, text: button.dataset.text,
    key: button.dataset.key, real: button.dataset.real === "1",
  });
  const itemOf = (card) => ({
    title: card.dataset.class, tiles: [...card.querySelectorAll(".open")].map(tileOf),
    facts: () => [...card.querySelectorAll(".flag, .remark, dl")].map((fact) => fact.cloneNode(true)),
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".card .open, .card .compare");
    if (!button) return;
    const card = button.closest(".card");
    const seen = [...document.querySelectorAll(".card")].filter((own) => own.offsetParent);
    const which = [...card.querySelectorAll(".open")].indexOf(button);
    open(seen.map(itemOf), seen.indexOf(card), Math.max(which, 0), which < 0);
  });
  lay(0);
  return { open, tileOf };
})();
