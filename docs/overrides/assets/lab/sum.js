// The arithmetic of one value, written out with the real numbers, and what of it may be changed. Each
// term is a button that goes to the value that it takes.

import { colour, inkOn, paint } from "./colours.js";
import { button, fixed, make, pixelCanvas } from "./dom.js";
import { settings } from "./generated.js";
import { layerName, say } from "./messages.js";
import { layerOf } from "./network.js";
import { strongest } from "./trace.js";
import { nameOf, paletteOf, shortName } from "./views.js";

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
const PRODUCT = 6;
export const SUM = 5;

/**
 * @param {object} options
 * @param {(unit: Unit) => void} options.descend  a term was pressed
 * @param {(key: string, index: number, value: number) => void} options.edit  a weight or bias is to be changed
 * @param {(layer: string, channel: number) => void} options.toggle
 * @param {() => void} options.reset
 * @param {(network: Network) => boolean} options.mayChange
 */
export function createSum({ descend, edit, toggle, reset, mayChange }) {
  const element = make("div", { class: "lab-sum" });
  /** @type {Run} */
  let run;
  /** @type {Trace} */
  let latest;
  let group = 0; // the input channel whose terms are open
  let editing = false;
  let allOpen = false; // the long list stays open while its numbers change
  /** @param {Event} event */
  const keepOpen = (event) => (allOpen = /** @type {HTMLDetailsElement} */ (event.target).open);
  let built = ""; // what the element was filled for
  /** @type {((traced: Trace) => void)[]} */
  let refreshers = [];

  /**
   * @param {Run} next
   * @param {Trace} traced
   */
  function show(next, traced) {
    const same = latest?.unit.layer === traced.unit.layer && latest.unit.channel === traced.unit.channel;
    if (!same) group = strongest(traced)?.unit.channel ?? 0;
    run = next;
    latest = traced;
    redraw(traced);
  }

  /** @param {Trace} traced */
  function redraw(traced) {
    const { unit, kind, terms } = traced;
    const grouped = isGrouped(traced);
    const groups = grouped ? terms[terms.length - 1].unit.channel + 1 : 1;
    if (group >= groups) group = 0;
    const key = [run.network.name, unit.layer, unit.channel, grouped ? "" : `${unit.row},${unit.column}`, group, editing].join();
    // While a number is being typed, its field must stay: what depends on it is written anew around it.
    if (key !== built || !grouped) {
      built = key;
      refreshers = [];
      const focused = document.activeElement instanceof HTMLElement && element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
      element.replaceChildren(...build(traced, grouped, groups));
      if (focused) /** @type {HTMLElement | null} */ (element.querySelector(`[data-focus="${focused}"]`))?.focus({ preventScroll: true });
    }
    for (const refresh of refreshers) refresh(traced);
    element.classList.toggle("lab-switched-off", traced.off);
    element.dataset.kind = kind;
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
      check.textContent = now.off ? say("off sum unused") : say(groups > 1 ? "sum words groups" : "sum words", { sum: fixed(now.sum, SUM), value: fixed(now.value, SUM), terms: now.terms.length, groups });
    });
    const label = make("p", { class: "lab-open-label" });
    const layer = layerName(traced.terms[0].unit.layer);
    refreshers.push((now) => {
      const peak = fixed(productLimits(now)[1], 3);
      label.textContent = groups > 1 ? say("open group", { layer, group, peak }) : say("open only group", { layer, peak });
    });
    const chips = groups > 1 ? [make("div", { class: "lab-chips", role: "group", "aria-label": say("groups") }, ...Array.from({ length: groups }, (_, i) => chip(traced, i, groups)))] : [];
    const size = traced.terms.length / groups;
    return [sums, check, ...chips, label, patch(traced, traced.terms.slice(group * size, (group + 1) * size), Math.sqrt(size), editing, group * size)];
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
      redraw(latest);
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
    const input = make("input", { type: "number", step: 0.1, value: Number(value.toFixed(4)), "aria-label": say("weight number", { place }) });
    input.addEventListener("input", () => {
      if (input.value !== "" && Number.isFinite(input.valueAsNumber)) edit(`${layer}.weight`, channel * latest.terms.length + place, input.valueAsNumber);
    });
    return input;
  }

  // ---------- A fully connected layer: a long list, the strongest first ----------

  /** @param {Trace} traced */
  function buildList(traced) {
    const { terms, bias } = traced;
    const order = terms.map((term, i) => ({ term, i })).sort((a, b) => Math.abs(b.term.product) - Math.abs(a.term.product));
    const line = ({ term, i = 0 } = order[0]) => ({ term, text: `${shortName(run.network, term.unit)}: ${fixed(term.input, SUM)} × ${fixed(term.weight, SUM)} = ${fixed(term.product, PRODUCT)}`, strong: false, i });
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
      ...(rest.length ? [make("details", { open: allOpen, toggle: keepOpen }, make("summary", {}, say("all terms", { count: terms.length })), list(terms, rest.map(line), peak))] : []),
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
          redraw(latest);
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
  };
}
