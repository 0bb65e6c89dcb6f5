// The search of an atlas that is a folder of its own: layers by a part of their name or kind, units
// as layer/number, classes by their name. The index is a script, which also a page from disk may
// load; it comes when the field is first entered.
(() => {
  const form = document.querySelector(".atlas-search");
  if (!form) return;
  const { home, index, none } = form.dataset;
  const field = form.querySelector("input");
  const list = form.querySelector(".atlas-found");
  const MOST = 12;
  let layers = null;
  let asked = false;

  window.cnnvizSearch = (given) => {
    layers = given.map(([name, kind, address, units, unit, digits, classes]) => ({ name, kind, address, units, unit, digits, classes }));
    show();
  };

  const load = () => {
    if (asked) return;
    asked = true;
    const script = document.createElement("script");
    script.src = index;
    script.onerror = () => (asked = false);
    document.head.append(script);
  };

  // Better is smaller: the whole name, its beginning, one of its parts, anywhere, in the kind.
  const rank = ({ name, kind }, query) => {
    const own = name.toLowerCase();
    if (own === query) return 0;
    if (own.startsWith(query)) return 1;
    if (own.includes(`.${query}`)) return 2;
    if (own.includes(query)) return 3;
    return kind.toLowerCase().includes(query) ? 4 : -1;
  };

  const matching = (query) =>
    layers
      .map((layer, at) => ({ layer, at, rank: rank(layer, query) }))
      .filter((found) => found.rank >= 0)
      .sort((a, b) => a.rank - b.rank || a.at - b.at)
      .map(({ layer }) => layer);

  const unitOf = (layer, unit) => {
    const number = String(unit).padStart(layer.digits, "0");
    return [`${layer.name}/${number}`, layer.classes[unit] ?? layer.kind, layer.unit.replace("{unit}", number)];
  };

  // [name, what it is, address] of each result.
  const results = (text) => {
    const query = text.trim().toLowerCase();
    if (!query) return [];
    const numbered = query.match(/^(.*\S)\s*[/#\s]\s*(?:u-)?(\d+)$/);
    const found = [];
    if (numbered) {
      const unit = Number(numbered[2]);
      for (const layer of matching(numbered[1])) if (unit < layer.units) found.push(unitOf(layer, unit));
    }
    for (const layer of matching(query)) found.push([layer.name, layer.kind, layer.address]);
    for (const layer of layers) {
      layer.classes.forEach((name, unit) => {
        if (name.toLowerCase().includes(query)) found.push(unitOf(layer, unit));
      });
    }
    return found.slice(0, MOST);
  };

  const show = () => {
    const wanted = field.value.trim() !== "" && layers !== null;
    list.replaceChildren();
    list.hidden = !wanted;
    field.setAttribute("aria-expanded", String(wanted));
    if (!wanted) return;
    const found = results(field.value);
    for (const [name, what, address] of found) {
      const link = document.createElement("a");
      link.href = home + address;
      const small = document.createElement("small");
      small.textContent = what;
      link.append(name, " ", small);
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    if (!found.length) {
      const item = document.createElement("li");
      item.textContent = none;
      list.append(item);
    }
  };

  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  };

  form.hidden = false;
  list.id = "atlas-found";
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "false");
  list.setAttribute("aria-live", "polite");
  field.addEventListener("focus", () => {
    load();
    show();
  });
  field.addEventListener("input", () => {
    load();
    show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  form.addEventListener("click", (event) => event.target.closest("a") && close());
  form.addEventListener("focusout", (event) => !form.contains(event.relatedTarget) && close());
  form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      field.focus();
      close();
    } else if (event.key === "ArrowDown" && links.length) {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (links[at - 1] ?? field).focus();
    }
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    }
  });
})();
