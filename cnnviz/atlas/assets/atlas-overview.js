// Edges on demand in the overview of a net: pointing at a unit, or moving to it with the keyboard,
// lights up what feeds it most and where it leads most. A first tap lights, a second one opens.
const SVG = "http://www.w3.org/2000/svg";

for (const overview of document.querySelectorAll(".overview")) {
  const layers = [...overview.querySelectorAll(".overview-units")].map((row) => ({
    row,
    name: row.dataset.layer,
    tiles: [...row.children],
    into: JSON.parse(row.dataset.in ?? "[]"), // for each unit: [unit of the layer before, strength in percent]
    out: JSON.parse(row.dataset.out ?? "[]"),
  }));
  const lines = document.createElementNS(SVG, "svg");
  lines.setAttribute("aria-hidden", "true");
  overview.append(lines);
  const words = document.createElement("p");
  words.className = "overview-read";
  words.setAttribute("aria-live", "polite");
  words.textContent = overview.dataset.none;
  overview.after(words);

  let chosen = null;

  const middle = (tile, edge) => {
    const box = tile.getBoundingClientRect();
    const origin = overview.getBoundingClientRect();
    return [box.left + box.width / 2 - origin.left, box[edge] - origin.top];
  };

  const join = (upper, lower, strength) => {
    const [x1, y1] = middle(upper, "bottom");
    const [x2, y2] = middle(lower, "top");
    const line = document.createElementNS(SVG, "path");
    const bend = Math.max(12, (y2 - y1) / 2);
    line.setAttribute("d", `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`);
    line.setAttribute("stroke-width", String(1 + Math.abs(strength) / 30));
    if (strength < 0) line.classList.add("less");
    lines.append(line);
  };

  const written = (layer, links) =>
    links
      .map(([unit, strength]) => `${layer.tiles[unit].getAttribute("aria-label")} (${strength > 0 ? "+" : "−"})`)
      .join(overview.dataset.comma);

  const clear = () => {
    chosen = null;
    lines.replaceChildren();
    overview.classList.remove("chosen");
    overview.querySelectorAll(".lit").forEach((tile) => tile.classList.remove("lit", "own"));
    words.textContent = overview.dataset.none;
  };

  const choose = (at, unit) => {
    const layer = layers[at];
    const tile = layer.tiles[unit];
    if (tile === chosen) return;
    clear();
    chosen = tile;
    const before = layer.into[unit] ?? [];
    const after = layer.out[unit] ?? [];
    const above = layers.find(({ name }) => name === layer.row.dataset.before);
    const below = layers.find(({ name }) => name === layer.row.dataset.after);
    overview.classList.add("chosen");
    tile.classList.add("lit", "own");
    for (const [other, strength] of before) {
      above.tiles[other].classList.add("lit");
      join(above.tiles[other], tile, strength);
    }
    for (const [other, strength] of after) {
      below.tiles[other].classList.add("lit");
      join(tile, below.tiles[other], strength);
    }
    const name = document.createElement("b");
    name.textContent = tile.getAttribute("aria-label");
    words.replaceChildren(name);
    const { colon } = overview.dataset;
    if (before.length) words.append(document.createElement("br"), overview.dataset.from + colon + written(above, before));
    if (after.length) words.append(document.createElement("br"), overview.dataset.to + colon + written(below, after));
  };

  // A thousand links are too many stops for the Tab key: one a layer, the arrows move within it.
  layers.forEach(({ row, tiles }, at) => {
    tiles.forEach((tile, unit) => (tile.tabIndex = unit ? -1 : 0));
    const unitOf = (event) => tiles.indexOf(event.target.closest("a"));
    let touched = false;

    row.addEventListener("pointerover", (event) => {
      const unit = unitOf(event);
      if (unit >= 0 && event.pointerType !== "touch") choose(at, unit);
    });
    row.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch"));
    row.addEventListener("click", (event) => {
      const unit = unitOf(event);
      if (unit < 0 || !touched || tiles[unit] === chosen) return;
      event.preventDefault();
      choose(at, unit);
    });
    row.addEventListener("focusin", (event) => {
      const unit = unitOf(event);
      if (unit < 0 || touched) return;
      tiles.forEach((tile) => (tile.tabIndex = -1));
      tiles[unit].tabIndex = 0;
      choose(at, unit);
    });
    row.addEventListener("keydown", (event) => {
      const unit = unitOf(event);
      const top = (tile) => tile.getBoundingClientRect().top;
      const across = tiles.findIndex((tile) => top(tile) > top(tiles[0]) + 2); // tiles in a line
      const step = across < 0 ? tiles.length : across;
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: step, ArrowUp: -step };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const next = unit + steps[event.key];
      if (tiles[next]) tiles[next].focus();
      else if (steps[event.key] === step) layers[at + 1]?.tiles[0].focus();
      else if (steps[event.key] === -step) layers[at - 1]?.tiles[0].focus();
    });
  });

  overview.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch" && !overview.contains(document.activeElement)) clear();
  });
  overview.addEventListener("keydown", (event) => event.key === "Escape" && clear());
  addEventListener("resize", clear);
}
