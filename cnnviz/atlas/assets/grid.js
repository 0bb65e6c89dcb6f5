// The units of a layer of a large network: a tile leads to the address of its unit, and the address
// opens a panel with its facts. These come from one script beside the page, when first asked for:
// a page that was opened from disk may load nothing else. A classic script for the same reason.
(() => {
  const grid = document.querySelector(".units-grid");
  if (!grid) return;
  const { layer, script, files, unit: address, perSheet, of } = grid.dataset;
  const words = JSON.parse(grid.querySelector("script[type='application/json']").textContent);
  const panel = grid.querySelector(".grid-panel");
  const tiles = [...grid.querySelectorAll(".grid-block a")];
  const SIDE = 64; // pixels of a patch in the panel

  // ---------- Words and elements ----------

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const minus = (text) => text.replace("-", "−");
  const number = (value, figures = 4) => {
    const size = Math.abs(value);
    const text = size && (size >= 1e6 || size < 1e-4) ? value.toExponential(2) : String(+value.toPrecision(figures));
    return minus(text);
  };
  const signed = (value) => (value > 0 ? "+" : "") + number(value, 3);
  const percent = (share) => `${+(100 * share).toFixed(share > 0 && share < 0.1 ? 2 : 1)} %`;
  const named = (unit, count = of) => String(unit).padStart(Math.max(2, String(count - 1).length), "0");

  const make = (tag, attributes, ...content) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
    element.append(...content);
    return element;
  };

  const table = (heads, rows) => {
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    return make("table", { class: "grid-table" }, make("thead", {}, head), make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells))));
  };

  const cells = (texts) => texts.map((text) => make("td", {}, text));

  // A number with a bar that is as long as its share of the longest.
  const bar = (value, longest, text) =>
    make("td", { class: `bar ${value < 0 ? "minus" : "plus"}`, style: `--v:${(Math.abs(value) / (longest || 1)).toFixed(3)}` }, text);

  const longest = (values) => Math.max(...values.map(Math.abs));

  // ---------- Facts ----------

  let facts = null;
  let asked = null;

  const load = () => {
    window.cnnvizUnits = (given) => (facts = given);
    asked ??= new Promise((resolve, reject) => {
      const element = make("script", { src: script });
      element.onload = () => (facts ? resolve() : reject());
      element.onerror = () => {
        asked = null; // another try may succeed
        element.remove();
        reject();
      };
      document.head.append(element);
    });
    return asked;
  };

  const className = (image) => facts.classes[facts.labels[image]];

  // ---------- Patches ----------

  // Windows on row `row` of a sheet, columns `from` on: one for each of `texts`, which name them.
  const windows = (sheet, row, from, texts, size = facts.patch) => {
    const [height, width] = size;
    const zoom = SIDE / Math.max(height, width);
    const box = make("div", { class: sheet.scale > 1 ? "grid-nine pixels" : "grid-nine" });
    texts.forEach((text, i) => {
      const place = { left: -(from + i) * (width + 1), top: -row * (height + 1), width: sheet.width };
      const style = Object.entries(place).map(([side, pixels]) => `${side}:${pixels * zoom}px`).join(";");
      const image = make("img", { src: files + sheet.file, alt: "", style });
      box.append(make("span", { role: "img", "aria-label": text, title: text, style: `height:${height * zoom}px;width:${width * zoom}px` }, image));
    });
    return box;
  };

  const patchText = (places, unit, i) => {
    const image = places.image[unit][i];
    const values = { image, class: className(image), row: places.row[unit][i], column: places.column[unit][i], value: number(places.value[unit][i]) };
    return say(values.class === undefined ? "patch" : "patch of class", values);
  };

  const nine = (key, unit, from) => {
    const places = facts[key];
    const values = places.value[unit];
    const sheet = facts.sheets[Math.floor(unit / perSheet)];
    const texts = values.map((value, i) => patchText(places, unit, i));
    const ends = { first: number(values[0]), last: number(values.at(-1)) };
    return make("div", {}, make("h4", {}, say(key)), windows(sheet, unit % perSheet, from, texts), make("p", {}, say("values", ends)));
  };

  const places = (unit) => {
    const heads = [say("image"), ...(facts.spatial ? [say("place")] : []), say("value")];
    const listed = (key) => {
      const { image, row, column, value } = facts[key];
      const rows = image[unit].map((n, i) => {
        const of = className(n);
        const where = facts.spatial ? [`${row[unit][i]}, ${column[unit][i]}`] : [];
        return cells([of === undefined ? String(n) : `${n} ${of}`, ...where, number(value[unit][i], 5)]);
      });
      return [make("h4", {}, say(key)), table(heads, rows)];
    };
    return make("details", {}, make("summary", {}, say("places")), ...listed("most"), ...listed("least"));
  };

  // ---------- Sections of the panel ----------

  const summary = (unit) => {
    const list = make("dl");
    const tell = (key, text) => list.append(make("dt", {}, say(key)), make("dd", {}, text));
    if (facts.active.length) tell("active", facts.active[unit] ? say("active share", { share: percent(facts.active[unit]) }) : say("never"));
    if (facts.low.length) tell("range", say("range values", { low: number(facts.low[unit]), high: number(facts.high[unit]) }));
    if (facts.mean.length) tell("mean", number(facts.mean[unit]));
    if (facts.norm.length) {
      const norm = number(facts.norm[unit]);
      tell("weights", facts.bias.length ? say("norm and bias", { norm, bias: number(facts.bias[unit]) }) : say("norm", { norm }));
    }
    const off = facts.off?.units.indexOf(unit) ?? -1;
    if (off >= 0) tell("silenced", say("silenced values", { loss: signed(facts.off.loss[off]), points: signed(100 * facts.off.accuracy[off]) }));
    return list;
  };

  const classes = (unit) => {
    const most = longest(facts.best_mean[unit]);
    const rows = facts.best[unit].map((name, i) => {
      const mean = facts.best_mean[unit][i];
      return [make("td", {}, facts.classes[name]), bar(mean, most, number(mean, 3))];
    });
    return [make("h4", {}, say("classes")), table([say("name of class"), say("class mean")], rows)];
  };

  const optimised = (unit) => {
    const { sheet, units, value, size } = facts.optimised;
    const row = units.indexOf(unit);
    if (row < 0) return [];
    const texts = value[row].map((reached) => number(reached));
    return [make("h4", {}, say("optimised")), windows(sheet, row, 0, texts, size), make("p", {}, say("optimised values", { values: texts.join(words.comma) }))];
  };

  const links = (key, unit) => {
    const joined = facts[key];
    if (!joined?.unit[unit]?.length) return [];
    const most = longest(joined.contribution[unit]);
    const rows = joined.unit[unit].map((other, i) => {
      const href = address.replace("{layer}", joined.layer).replace("{unit}", named(other, joined.count));
      const contribution = joined.contribution[unit][i];
      const name = String(other);
      const place = other < joined.shown ? make("a", { href }, name) : name; // not all have tiles
      return [make("td", {}, place), make("td", {}, number(joined.weight[unit][i], 3)), bar(contribution, most, signed(contribution))];
    });
    const heads = [say("linked unit"), say("weight"), say("contribution")];
    return [make("h4", {}, say(key, { layer: joined.layer })), table(heads, rows)];
  };

  const head = (unit) => {
    const step = (by, key, rel) => {
      const other = tiles[(unit + by + tiles.length) % tiles.length];
      return make("a", { href: other.hash, rel }, say(key, { unit: other.hash.slice(3) }));
    };
    const close = make("button", { type: "button", "aria-label": say("close") }, "✕");
    close.addEventListener("click", leave);
    const title = make("h3", {}, say("unit", { layer, unit: named(unit) }));
    return make("header", {}, title, step(-1, "before", "prev"), step(1, "after", "next"), close);
  };

  const fill = (unit) => {
    const own = facts.own ? [make("p", {}, say("class", { name: facts.classes[unit] }))] : [];
    const joined = [...links("incoming", unit), ...links("outgoing", unit)];
    panel.replaceChildren(
      head(unit),
      ...own,
      summary(unit),
      make("div", { class: "grid-pair" }, nine("most", unit, 0), nine("least", unit, facts.most.image[unit].length)),
      places(unit),
      ...(facts.optimised ? optimised(unit) : []),
      ...(facts.best.length ? classes(unit) : []),
      make("p", {}, say("legend")),
      ...joined,
      ...(joined.length ? [make("p", {}, say("links legend"))] : []),
    );
  };

  // ---------- Opening and closing ----------

  let chosen = -1;

  const show = async () => {
    const unit = tiles.findIndex((tile) => tile.hash === location.hash);
    tiles[chosen]?.classList.remove("chosen");
    if (unit < 0) {
      panel.hidden = true;
      chosen = -1;
      return;
    }
    chosen = unit;
    const tile = tiles[unit];
    tile.classList.add("chosen");
    const folded = tile.closest("details");
    if (folded && !folded.open) {
      folded.open = true;
      tile.scrollIntoView({ block: "nearest" });
    }
    const there = await load().then(() => true, () => false);
    if (chosen !== unit) return;
    if (there) fill(unit);
    else panel.replaceChildren(head(unit), make("p", { role: "alert" }, say("failed", { file: script })));
    panel.hidden = false;
    panel.scrollTop = 0;
    panel.setAttribute("aria-label", panel.querySelector("h3").textContent);
    panel.focus({ preventScroll: true });
  };

  const leave = () => {
    const tile = tiles[chosen];
    panel.hidden = true;
    tile?.classList.remove("chosen");
    chosen = -1;
    history.replaceState(null, "", location.pathname + location.search);
    tile?.focus({ preventScroll: true });
  };

  // A tile that is chosen already does not change the address.
  grid.addEventListener("click", (event) => {
    const tile = event.target.closest?.(".grid-block a");
    if (tile && tile.hash === location.hash) show();
  });

  // Arrow keys: among the tiles of all open blocks, and in the panel from one unit to the next.
  const across = getComputedStyle(tiles[0].closest(".grid-block")).getPropertyValue("--across");
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: +across, ArrowUp: -across };
  tiles.forEach((tile) => (tile.tabIndex = tile.matches(":first-child") ? 0 : -1));
  const stop = (tile) => {
    for (const other of tile.parentElement.children) other.tabIndex = other === tile ? 0 : -1;
  };

  grid.addEventListener("focusin", (event) => event.target.matches?.(".grid-block a") && stop(event.target));
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && !panel.hidden) return leave();
    const at = tiles.indexOf(event.target);
    if (at >= 0 && event.key in steps) {
      event.preventDefault();
      const next = tiles[at + steps[event.key]];
      const folded = next?.closest("details");
      if (folded) folded.open = true;
      next?.focus();
    } else if (event.target === panel && Math.abs(steps[event.key]) === 1) {
      event.preventDefault();
      location.hash = tiles[(chosen + steps[event.key] + tiles.length) % tiles.length].hash;
    }
  });

  grid.dataset.ready = "";
  addEventListener("hashchange", show);
  show();
})();
