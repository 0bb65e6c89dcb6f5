// Tables that sort by any of their columns (table.sortable). The headings become buttons; rows move
// between the first body, which is open, and the second, which a box folds out. Without JavaScript
// the order is that of the build.
const number = (row, column) => {
  const value = Number(row.cells[column].textContent.replace("−", "-"));
  return Number.isNaN(value) ? null : value;
};

// Down is the largest first; what is no number comes last either way. Equal rows keep their order.
const compare = (column, down) => (a, b) => {
  if (column === 0) return (down ? -1 : 1) * (a.dataset.place - b.dataset.place);
  const [x, y] = [number(a, column), number(b, column)];
  if (x === null || y === null) return (x === null) - (y === null);
  return down ? y - x : x - y;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const box = table.closest(".ablation");
  const [open, rest] = table.tBodies;
  const count = open.rows.length;
  const heads = [...table.tHead.rows[0].cells];
  let rows = [...open.rows, ...rest.rows];
  let layer = "";

  // The order of the net, for the first column: layers in the order of the select, units by number.
  const name = (row) => row.cells[0].textContent.trim();
  const layerOf = (row) => name(row).slice(0, name(row).lastIndexOf("/"));
  const layers = box.dataset.order.split(" ");
  const inNet = [...rows].sort(
    (a, b) => layers.indexOf(layerOf(a)) - layers.indexOf(layerOf(b)) || (name(a) < name(b) ? -1 : 1),
  );
  inNet.forEach((row, place) => (row.dataset.place = place));

  const show = () => {
    const shown = rows.filter((row) => !layer || layerOf(row) === layer);
    open.replaceChildren(...shown.slice(0, count));
    rest.replaceChildren(...shown.slice(count));
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : head.dataset.first === "down";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows = [...rows].sort(compare(column, down));
      show();
    });
  });

  const hint = Object.assign(document.createElement("p"), { className: "ablation-hint", textContent: box.dataset.hint });
  table.parentElement.before(hint);

  const choice = document.createElement("select");
  choice.add(new Option(box.dataset.every, ""));
  layers.forEach((each) => choice.add(new Option(each, each)));
  choice.addEventListener("change", () => {
    layer = choice.value;
    show();
  });
  const label = Object.assign(document.createElement("label"), { className: "ablation-layers", textContent: `${box.dataset.layers} ` });
  label.append(choice);
  box.querySelector("fieldset").append(label);
}
