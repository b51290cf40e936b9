// The map of photos: the point nearest to the pointer is told and shown; keys go from point to point.
const map = (() => {
  const $ = (name) => document.getElementById(name);
  const chart = $("map-points");
  if (!chart) return { only: () => {} };
  const points = JSON.parse($("map-data").textContent)
    .map(([x, y, kind, key, name, picture]) => ({ x, y, kind, key, name, picture }));
  const [tip, ring] = [$("map-tip"), $("map-ring")];
  let at = -1, wanted = "";

  const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  const seen = (point) => !wanted || point.name === wanted;

  function nearest(place, within) {
    let best = -1;
    points.forEach((point, n) => {
      const reach = best < 0 ? within : distance(points[best], place);
      if (seen(point) && distance(point, place) < reach) best = n;
    });
    return best;
  }

  function show(n) {
    at = n;
    tip.hidden = n < 0;
    ring.toggleAttribute("hidden", n < 0);
    if (n < 0) return;
    const point = points[n], scale = chart.clientWidth / chart.viewBox.baseVal.width;
    ring.setAttribute("cx", point.x);
    ring.setAttribute("cy", point.y);
    tip.querySelector("img").src = point.picture;
    tip.querySelector("span").textContent = point.kind + ", " + point.name;
    const left = point.x * scale, right = left > chart.clientWidth / 2;
    tip.style.left = right ? "" : left + 14 + "px";
    tip.style.right = right ? chart.clientWidth - left + 14 + "px" : "";
    tip.style.top = Math.max(0, point.y * scale - 40) + "px";
    $("map-text").textContent = point.kind + ": " + point.name + ", " + point.key;
  }

  function place(event) {
    const box = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  function step(key) {
    if (at < 0) return show(nearest({ x: 0, y: 0 }, Infinity));
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    let best = -1, least = Infinity;
    points.forEach((point, n) => {
      const [x, y] = [point.x - points[at].x, point.y - points[at].y];
      const [along, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
      if (n === at || along <= 0 || !seen(point) || along + 2 * aside >= least) return;
      [best, least] = [n, along + 2 * aside];
    });
    if (best >= 0) show(best);
  }

  function tileOf(point) {
    const button = document.querySelector(`.open[data-key="${CSS.escape(point.key)}"]`);
    const own = { photo: point.picture, mask: "", role: point.kind, key: point.key, real: point.kind !== "generated",
      text: point.kind + ": " + point.name + ", " + point.key };
    const mirrored = button && button.dataset.text.includes(", mirrored: ");
    return button && !mirrored ? { ...zoom.tileOf(button), role: point.kind } : own;
  }

  function enlarge() {
    if (at < 0) return;
    const list = points.filter(seen);
    zoom.open(list.map((point) => ({ title: point.name, tiles: [tileOf(point)], facts: () => [] })), list.indexOf(points[at]));
  }

  chart.addEventListener("pointermove", (event) => show(nearest(place(event), 16)));
  chart.addEventListener("pointerleave", () => show(-1));
  chart.addEventListener("blur", () => show(-1));
  chart.addEventListener("click", (event) => { show(nearest(place(event), 24)); enlarge(); });
  chart.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") enlarge();
    else if (event.key.startsWith("Arrow")) step(event.key);
    else return;
    event.preventDefault();
  });

  function only(name) {
    wanted = name;
    for (const mark of chart.querySelectorAll("[data-class]")) mark.classList.toggle("faint", Boolean(name) && mark.dataset.class !== name);
    show(-1);
  }
  return { only };
})();
