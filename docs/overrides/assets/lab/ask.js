// Where a value comes from: its receptive field, and its arithmetic with the real numbers. Each term
// is a button that goes one layer down, to the value it takes, and so on to the pixels.

import { colour, inkOn, paint } from "./colours.js";
import { button, fixed, make, pixelCanvas } from "./dom.js";
import { settings } from "./generated.js";
import { layerName, say } from "./messages.js";
import { before, layerOf, unitAt } from "./network.js";
import { fields, path, strongest, trace } from "./trace.js";
import { nameOf, paletteOf, step } from "./views.js";

/**
 * @typedef {import("./network.js").Unit} Unit
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./forward.js").Run} Run
 * @typedef {import("./trace.js").Trace} Trace
 * @typedef {import("./trace.js").Term} Term
 * @typedef {import("./colours.js").Limits} Limits
 */

const FIRST = 10; // terms of a long sum that are listed before the rest

/** Decimals of a product and of a sum of products: what is written out adds up to the value within 1e-4. */
const PRODUCT = 6, SUM = 5;

/**
 * @param {object} options
 * @param {(trail: Unit[]) => void} options.go
 * @param {() => void} options.close
 * @param {(key: string, index: number, value: number) => void} options.edit  a weight or bias is to be changed
 * @param {(layer: string, channel: number) => void} options.toggle
 * @param {() => void} options.reset
 * @param {(network: Network) => boolean} options.mayChange
 */
export function createAsk({ go, close, edit, toggle, reset, mayChange }) {
  const title = make("h2", { tabindex: -1 });
  const value = make("output", { class: "lab-value" });
  const crumbs = make("nav", { class: "lab-trail", "aria-label": say("trail") });
  const field = pixelCanvas(settings.side, settings.side);
  const fieldMark = make("i", { class: "lab-mark lab-pin" });
  const fieldText = make("figcaption");
  const keys = ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight", "PageUp", "PageDown"];
  const nudges = keys.map((key) => button(say(`nudge ${key} sign`), () => nudge(key), { "aria-label": say(`nudge ${key}`), title: say(`nudge ${key}`) }));
  const down = button(say("to the pixels"), toPixels, { class: "lab-wide" });
  const body = make("div", { class: "lab-sum" });
  const empty = make("p", { class: "lab-note" }, say("ask hint"));
  const content = make(
    "div",
    { hidden: true },
    make("div", { class: "lab-ask-head" }, title, value, button("×", close, { "aria-label": say("close"), title: say("close"), class: "lab-close" })),
    crumbs,
    make("div", { class: "lab-ask-tools" }, make("figure", { class: "lab-field" }, make("div", { class: "lab-map" }, field, fieldMark), fieldText), make("div", { class: "lab-nudges", role: "group", "aria-label": say("nudges") }, ...nudges, down)),
    body,
  );
  const element = make("section", { class: "lab-ask", "aria-label": say("ask title") }, empty, content);

  /** @type {Run} */
  let run;
  /** @type {Unit[]} */
  let trail = [];
  let group = 0; // the input channel whose terms are open
  let editing = false;
  let built = ""; // what the body was made for
  /** @type {((traced: Trace) => void)[]} */
  let refreshers = [];

  const here = () => /** @type {Unit} */ (trail.at(-1));

  /** @param {string} key */
  function nudge(key) {
    const layer = layerOf(run.network, here().layer);
    const next = step(layer, here(), key, 1e6);
    if (next) go([...trail.slice(0, -1), next]);
  }

  function toPixels() {
    const steps = path(run, here()).map(({ unit }) => unit);
    go([...trail.slice(0, -1), ...steps.filter(({ layer }) => layerOf(run.network, layer).kind !== "flatten")]);
  }

  /** @param {Unit} unit */
  function descend(unit) {
    go([...trail, unit]);
    title.focus({ preventScroll: true }); // the button that was pressed is gone
  }

  /**
   * @param {Run} next
   * @param {Unit[]} nextTrail
   */
  function show(next, nextTrail) {
    const before = trail.at(-1);
    run = next;
    trail = nextTrail;
    element.classList.toggle("lab-asked", trail.length > 0);
    empty.hidden = trail.length > 0;
    content.hidden = trail.length === 0;
    if (!trail.length) return;
    const { network } = run;
    const unit = here();
    const traced = withoutFlatten(trace(run, unit));
    if (unit.layer !== before?.layer || unit.channel !== before.channel) group = strongest(traced)?.unit.channel ?? 0;
    title.textContent = nameOf(network, unit);
    value.textContent = `= ${fixed(traced.value, SUM)}`;
    showField(unit);
    showTrail();
    const [channels, height, width] = layerOf(network, unit.layer).shape;
    nudges.forEach((one, i) => (one.disabled = i >= 4 ? channels === 1 || height * width === 1 : height * width === 1 && (i === 1 || i === 2)));
    down.disabled = traced.kind === "pixels";
    showSum(traced);
  }

  /** LeNet's fc1 takes flattened maps; what it takes is known by channel, row and column all the same. @param {Trace} traced */
  function withoutFlatten(traced) {
    const source = before(run.network, traced.unit.layer);
    const maps = source?.kind === "flatten" ? before(run.network, source.name) : undefined;
    if (!maps || traced.kind !== "linear") return traced;
    return { ...traced, terms: traced.terms.map((term) => ({ ...term, unit: unitAt(maps, term.unit.channel) })) };
  }

  /** @param {Unit} unit */
  function showField(unit) {
    paint(field, run.values.pixels, "grey", [0, 1]);
    const { rows: [top, bottom], columns: [left, right], padding } = fields(run.network, unit).pixels;
    const share = (/** @type {number} */ count) => `${(100 * count) / settings.side}%`;
    Object.assign(fieldMark.style, { left: share(left), top: share(top), width: share(right - left), height: share(bottom - top) });
    const parts = [say("field", { width: right - left, height: bottom - top, top, bottom: bottom - 1, left, right: right - 1 })];
    if (padding) parts.push(say("field padding"));
    fieldText.textContent = unit.layer === "pixels" ? "" : parts.join(" ");
  }

  function showTrail() {
    crumbs.hidden = trail.length < 2;
    crumbs.replaceChildren(
      ...trail.map((unit, i) =>
        i === trail.length - 1
          ? make("span", { "aria-current": "step" }, crumb(unit))
          : button(crumb(unit), () => {
              go(trail.slice(0, i + 1));
              title.focus({ preventScroll: true });
            }),
      ),
    );
    crumbs.scrollLeft = crumbs.scrollWidth;
  }

  /** @param {Unit} unit */
  function crumb({ layer, channel, row, column }) {
    const { shape: [channels, height, width] } = layerOf(run.network, layer);
    const numbers = height * width === 1 ? [channel] : channels === 1 ? [row, column] : [channel, row, column];
    return `${layerName(layer)} [${numbers.join(", ")}]`;
  }

  /** @param {Trace} traced */
  function showSum(traced) {
    const { unit, kind, terms } = traced;
    const grouped = isGrouped(traced);
    const groups = grouped ? terms[terms.length - 1].unit.channel + 1 : 1;
    if (group >= groups) group = 0;
    const key = [run.network.name, unit.layer, unit.channel, grouped ? "" : `${unit.row},${unit.column}`, group, editing].join();
    // While a number is being typed, its field must stay: what depends on it is written anew around it.
    if (key !== built || !grouped) {
      built = key;
      refreshers = [];
      const focused = document.activeElement instanceof HTMLElement && body.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
      body.replaceChildren(...build(traced, grouped, groups));
      if (focused) /** @type {HTMLElement | null} */ (body.querySelector(`[data-focus="${focused}"]`))?.focus({ preventScroll: true });
    }
    for (const refresh of refreshers) refresh(traced);
    body.classList.toggle("lab-switched-off", traced.off);
    body.dataset.kind = kind;
  }

  /** Small patches of maps are shown as patches. @param {Trace} traced */
  function isGrouped({ kind, terms }) {
    return kind === "conv" || (kind === "linear" && terms[0].unit.layer === "pool2");
  }

  /**
   * @param {Trace} traced
   * @param {boolean} grouped
   * @param {number} groups
   * @returns {Node[]}
   */
  function build(traced, grouped, groups) {
    const change = mayChange(run.network) && traced.kind !== "pixels" ? [buildChange(traced, grouped)] : [];
    switch (traced.kind) {
      case "pixels": return [make("p", {}, say("is a pixel", { value: fixed(traced.value, SUM), byte: Math.round(255 * traced.value) })), ...change];
      case "centre": return [formula(say("centre formula", { pixel: fixed(traced.terms[0].input, SUM), mean: layerOf(run.network, "centred").mean ?? 0, std: layerOf(run.network, "centred").std ?? 1, value: fixed(traced.value, SUM) })), singles(traced)];
      case "relu": return [formula(say("relu formula", { input: fixed(traced.terms[0].input, SUM), value: fixed(traced.sum, SUM) })), make("p", {}, say(traced.terms[0].passes ? "relu passes" : "relu stops")), singles(traced), ...change];
      case "pool": return [formula(say("pool formula", { inputs: traced.terms.map(({ input }) => fixed(input, SUM)).join(", "), value: fixed(traced.sum, SUM) })), patch(traced, traced.terms, 2, false), ...change];
      case "softmax": return [make("p", {}, say("softmax words")), ...softmaxTerms(traced)];
      default: return [...(grouped ? buildGroups(traced, groups) : buildList(traced)), ...change];
    }
  }

  /** @param {string} text */
  const formula = (text) => make("p", { class: "lab-formula" }, text);

  /** The one value that went in. @param {Trace} traced */
  function singles({ terms: [term] }) {
    return button(say("go to", { unit: nameOf(run.network, term.unit) }), () => descend(term.unit), { class: "lab-wide" });
  }

  /** @param {Trace} traced */
  function softmaxTerms({ terms, unit, value }) {
    const total = terms.reduce((sum, { product }) => sum + product, 0);
    const top = Math.max(...terms.map(({ input }) => input));
    return [
      formula(`e^(${fixed(terms[unit.channel].input, SUM)} − ${fixed(top, SUM)}) / ${fixed(total, SUM)} = ${fixed(value, SUM)}`),
      list(terms, terms.map((term, i) => ({ term, text: `${settings.classNames[i]}: e^(${fixed(term.input, SUM)} − ${fixed(top, SUM)}) = ${fixed(term.product, SUM)}`, strong: i === unit.channel })), Math.max(...terms.map(({ product }) => product))),
    ];
  }

  // ---------- A convolution: a patch of each input channel, times its slice of the kernel ----------

  /**
   * @param {Trace} traced
   * @param {number} groups
   */
  function buildGroups(traced, groups) {
    const sums = formula("");
    const check = make("p", { class: "lab-note" });
    refreshers.push((now) => {
      const parts = groupSums(now, groups);
      sums.replaceChildren(
        ...parts.flatMap((sum, i) => [make("span", { class: i === group && groups > 1 ? "lab-open" : "" }, `${i && sum >= 0 ? "+ " : i ? "− " : ""}${fixed(i ? Math.abs(sum) : sum, SUM)}`), " "]),
        make("span", { class: "lab-bias" }, `${now.bias < 0 ? "−" : "+"} ${fixed(Math.abs(now.bias), SUM)}`),
        ` = ${fixed(parts.reduce((total, part) => total + part, now.bias), SUM)}`,
      );
      check.textContent = now.off ? say("off, sum unused") : say(groups > 1 ? "sum words groups" : "sum words", { sum: fixed(now.sum, SUM), value: fixed(now.value, SUM), terms: now.terms.length, groups });
    });
    const source = layerOf(run.network, traced.terms[0].unit.layer);
    const label = groups > 1 ? say("open group", { layer: layerName(source.name), group }) : say("open only group", { layer: layerName(source.name) });
    const chips = groups > 1 ? [make("div", { class: "lab-chips", role: "group", "aria-label": say("groups") }, ...Array.from({ length: groups }, (_, i) => chip(traced, i, groups)))] : [];
    const size = traced.terms.length / groups;
    return [sums, check, ...chips, make("p", { class: "lab-open-label" }, label), patch(traced, traced.terms.slice(group * size, (group + 1) * size), Math.sqrt(size), editing, group * size)];
  }

  /** @param {Trace} traced @param {number} groups */
  function groupSums({ terms }, groups) {
    const size = terms.length / groups;
    return Array.from({ length: groups }, (_, i) => terms.slice(i * size, (i + 1) * size).reduce((sum, { product }) => sum + product, 0));
  }

  /** @param {Trace} traced @returns {Limits} */
  function productLimits({ terms }) {
    const peak = Math.max(...terms.map(({ product }) => Math.abs(product)));
    return [-peak, peak];
  }

  /**
   * One input channel: its products as a small map, and their sum.
   *
   * @param {Trace} traced
   * @param {number} i
   * @param {number} groups
   */
  function chip({ terms }, i, groups) {
    const size = terms.length / groups;
    const map = pixelCanvas(Math.sqrt(size), Math.sqrt(size));
    const sum = make("span");
    const press = () => {
      group = i;
      show(run, trail);
    };
    refreshers.push((now) => {
      const products = now.terms.slice(i * size, (i + 1) * size).map(({ product }) => product);
      paint(map, products, "diverging", productLimits(now));
      sum.textContent = fixed(products.reduce((total, product) => total + product, 0), 2);
    });
    return make("button", { type: "button", click: press, "aria-pressed": String(i === group), "data-focus": `chip${i}` }, make("b", {}, String(i)), map, sum);
  }

  /**
   * Terms as the square that they are: each a button that goes down, or a weight to be changed.
   *
   * @param {Trace} traced
   * @param {Term[]} terms
   * @param {number} side
   * @param {boolean} asFields
   * @param {number} [first]  place of the first term among all
   */
  function patch({ unit, kind }, terms, side, asFields, first = 0) {
    const square = make("div", { class: "lab-patch" });
    square.style.setProperty("--columns", String(side));
    const isPool = kind === "pool";
    terms.forEach((initial, i) => {
      const [input, weight, product] = [make("span"), asFields ? weightField(unit, first + i, initial.weight) : make("span"), make("b")];
      const cell = asFields
        ? make("div", {}, input, weight, product)
        : make("button", { type: "button", "data-focus": `term${i}` }, input, isPool ? null : weight, isPool ? null : product);
      let target = initial.unit;
      if (cell instanceof HTMLButtonElement) cell.addEventListener("click", () => descend(target));
      refreshers.push((now) => {
        const term = now.terms[first + i];
        target = term.unit;
        input.textContent = term.padding ? say("padding zero") : fixed(term.input, SUM);
        if (!asFields) weight.textContent = `×${fixed(term.weight, SUM)}`;
        product.textContent = fixed(term.product, PRODUCT);
        const background = isPool ? colour(paletteOf(layerOf(run.network, term.unit.layer)), term.input, [0, Math.max(...now.terms.map((one) => one.input))]) : colour("diverging", term.product, productLimits(now));
        cell.style.background = background;
        cell.style.color = inkOn(background);
        cell.classList.toggle("lab-winner", isPool && term.passes);
        if (cell instanceof HTMLButtonElement) {
          cell.disabled = term.padding;
          const words = { unit: term.padding ? "" : nameOf(run.network, term.unit), input: fixed(term.input, SUM), weight: fixed(term.weight, SUM), product: fixed(term.product, PRODUCT) };
          cell.setAttribute("aria-label", say(term.padding ? "term padding" : isPool ? "term pool" : "term", words));
        }
      });
      square.append(cell);
    });
    return square;
  }

  /** @param {Unit} unit @param {number} place @param {number} value */
  function weightField({ layer, channel }, place, value) {
    const { terms } = trace(run, here());
    const input = make("input", { type: "number", step: 0.1, value: Number(value.toFixed(4)), "aria-label": say("weight number", { place }) });
    input.addEventListener("input", () => {
      if (input.value !== "" && Number.isFinite(input.valueAsNumber)) edit(`${layer}.weight`, channel * terms.length + place, input.valueAsNumber);
    });
    return input;
  }

  // ---------- A fully connected layer: a long list, the strongest first ----------

  /** @param {Trace} traced */
  function buildList(traced) {
    const { terms, bias } = traced;
    const order = terms.map((term, i) => ({ term, i })).sort((a, b) => Math.abs(b.term.product) - Math.abs(a.term.product));
    const line = ({ term, i = 0 } = order[0]) => ({ term, text: `${crumb(term.unit)}: ${fixed(term.input, SUM)} × ${fixed(term.weight, SUM)} = ${fixed(term.product, PRODUCT)}`, strong: false, i });
    const listed = order.slice(0, FIRST);
    const rest = order.slice(FIRST);
    const [listedSum, restSum] = [listed, rest].map((some) => some.reduce((sum, { term }) => sum + term.product, 0));
    const peak = Math.abs(order[0].term.product);
    const isImage = terms[0].unit.layer === "pixels";
    const picture = pixelCanvas(settings.side, settings.side);
    if (isImage) paint(picture, terms.map(({ product }) => product), "diverging", [-peak, peak]);
    return [
      formula(`${fixed(listedSum, SUM)} ${restSum < 0 ? "−" : "+"} ${fixed(Math.abs(restSum), SUM)} ${bias < 0 ? "−" : "+"} ${fixed(Math.abs(bias), SUM)} = ${fixed(listedSum + restSum + bias, SUM)}`),
      make("p", { class: "lab-note" }, say("sum words list", { listed: listed.length, rest: rest.length, sum: fixed(traced.sum, SUM), value: fixed(traced.value, SUM) })),
      ...(isImage ? [make("figure", { class: "lab-products" }, picture, make("figcaption", {}, say("products as image", { peak: fixed(peak, 3) })))] : []),
      list(terms, listed.map(line), peak),
      ...(rest.length ? [make("details", {}, make("summary", {}, say("all terms", { count: terms.length })), list(terms, rest.map(line), peak))] : []),
    ];
  }

  /**
   * @param {Term[]} terms
   * @param {{ term: Term, text: string, strong: boolean }[]} lines
   * @param {number} peak
   */
  function list(terms, lines, peak) {
    return make(
      "ul",
      { class: "lab-terms" },
      ...lines.map(({ term, text, strong }) => {
        const bar = make("i", { class: term.product < 0 ? "lab-negative" : "" });
        bar.style.width = `${peak ? (100 * Math.abs(term.product)) / peak : 0}%`;
        return make("li", { class: strong ? "lab-strong" : "" }, make("button", { type: "button", click: () => descend(term.unit) }, make("span", {}, text), bar));
      }),
    );
  }

  // ---------- Change ----------

  /** @param {Trace} traced @param {boolean} grouped */
  function buildChange({ unit, kind }, grouped) {
    const { layer, channel } = unit;
    const parts = [];
    const isOff = () => Boolean(run.off[layer]?.includes(channel));
    const flat = layerOf(run.network, layer).shape[1] * layerOf(run.network, layer).shape[2] === 1;
    const power = button("", () => toggle(layer, channel), { class: "lab-wide", "data-focus": "power" });
    refreshers.push(() => {
      power.textContent = say(`switch ${isOff() ? "on" : "off"}${flat ? " unit" : ""}`, { channel });
      power.setAttribute("aria-pressed", String(isOff()));
    });
    parts.push(power);
    if (grouped && kind === "conv") {
      parts.push(
        button(say(editing ? "stop editing" : "edit kernel"), () => {
          editing = !editing;
          show(run, trail);
        }, { class: "lab-wide", "aria-pressed": String(editing), "data-focus": "edit" }),
      );
    }
    if (run.network.weights[`${layer}.bias`]) parts.push(biasField(layer, channel));
    parts.push(button(say("reset"), reset, { class: "lab-wide", "data-focus": "reset" }));
    return make("div", { class: "lab-change", role: "group", "aria-label": say("change title") }, make("h3", {}, say("change title")), ...parts);
  }

  /** @param {string} layer @param {number} channel */
  function biasField(layer, channel) {
    const key = `${layer}.bias`;
    const attributes = { step: 0.01, "aria-label": say("bias") };
    const slider = make("input", { type: "range", min: -3, max: 3, "data-focus": "bias", ...attributes });
    const number = make("input", { type: "number", "data-focus": "bias-number", ...attributes });
    for (const one of [slider, number]) {
      one.addEventListener("input", () => {
        if (one.value !== "" && Number.isFinite(one.valueAsNumber)) edit(key, channel, one.valueAsNumber);
      });
    }
    refreshers.push(() => {
      const bias = run.network.weights[key][channel];
      for (const one of [slider, number]) if (document.activeElement !== one) one.value = String(Number(bias.toFixed(SUM)));
    });
    return make("div", { class: "lab-bias-field" }, make("span", {}, say("bias")), slider, number);
  }

  return {
    element,
    show,
    /** Numbers in fields are written anew after a reset. */
    renew() {
      built = "";
    },
    focus: () => title.focus({ preventScroll: true }),
  };
}
