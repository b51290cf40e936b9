// Pairs that the reader wants left out: key -> whether it is a real one. Every checkbox of a key follows the others.
const marks = (() => {
  const $ = (name) => document.getElementById(name);
  const chosen = new Map();

  function offer(link, keys, what) {
    link.hidden = !keys.length;
    link.textContent = "Save the " + what + " (" + keys.length + ")";
    link.href = "data:text/plain;charset=utf-8," + encodeURIComponent(keys.sort().join("\n") + "\n");
  }

  function show() {
    for (const box of document.querySelectorAll("input.mark")) box.checked = chosen.has(box.dataset.key);
    const of = (real) => [...chosen].filter(([, own]) => own === real).map(([key]) => key);
    offer($("marks-real"), of(true), "real ones");
    offer($("marks-made"), of(false), "generated ones");
    $("marks").hidden = !chosen.size;
    $("marks-count").textContent = chosen.size + " to leave out";
  }

  function set(key, real, on) {
    if (on) chosen.set(key, real);
    else chosen.delete(key);
    show();
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("input.mark")) set(box.dataset.key, box.dataset.real === "1", box.checked);
  });
  $("marks-clear").addEventListener("click", () => { chosen.clear(); show(); });
  show();
  return { show, has: (key) => chosen.has(key), set };
})();
