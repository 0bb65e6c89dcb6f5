// The ablation table sorts by any of its columns: its headings become buttons. The first rows are
// open; the others, which readers without JavaScript find below the table, follow when a box is ticked.
const number = (row, column) => {
  const value = Number(row.cells[column].textContent.replace("−", "-"));
  return Number.isNaN(value) ? null : value;
};

// Down is the largest first; what is no number comes last either way. Equal rows keep their order.
const compare = (column, down) => (a, b) => {
  const [x, y] = column ? [number(a, column), number(b, column)] : [Number(a.dataset.place), Number(b.dataset.place)];
  if (x === null || y === null) return (x === null) - (y === null);
  return down ? y - x : x - y;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const box = table.closest(".ablation");
  const { hint, label, every, all, order } = box.dataset;
  const [body] = table.tBodies;
  const count = body.rows.length;
  const heads = [...table.tHead.rows[0].cells];

  const waiting = box.querySelector("noscript");
  const others = document.createElement("template");
  others.innerHTML = waiting?.textContent ?? "";
  let rows = [...body.rows, ...others.content.querySelectorAll("tbody > tr")];

  // The order of the net, for the first column: layer by layer, units by number.
  const name = (row) => row.cells[0].textContent.trim();
  const layerOf = (row) => name(row).slice(0, name(row).lastIndexOf("/"));
  const layers = order.split(" ");
  [...rows]
    .sort((a, b) => layers.indexOf(layerOf(a)) - layers.indexOf(layerOf(b)) || (name(a) < name(b) ? -1 : 1))
    .forEach((row, place) => (row.dataset.place = place));

  let layer = "";
  const unfold = Object.assign(document.createElement("input"), { type: "checkbox" });
  const show = () => {
    const shown = rows.filter((row) => !layer || layerOf(row) === layer);
    body.replaceChildren(...(unfold.checked ? shown : shown.slice(0, count)));
  };

  heads.forEach((head, column) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
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

  table.parentElement.before(
    Object.assign(document.createElement("p"), { className: "ablation-hint", textContent: hint }),
  );

  const choice = document.createElement("select");
  choice.add(new Option(every, ""));
  layers.forEach((each) => choice.add(new Option(each, each)));
  choice.addEventListener("change", () => {
    layer = choice.value;
    show();
  });
  const one = document.createElement("label");
  one.append(`${label} `, choice);
  box.querySelector("fieldset").append(one);

  if (waiting) {
    unfold.addEventListener("change", show);
    const fold = Object.assign(document.createElement("label"), { className: "ablation-all" });
    fold.append(unfold, ` ${all} (${rows.length})`);
    table.parentElement.after(fold);
  }
}
