// Where a value comes from: its receptive field, its sum (sum.js), and the way from a value to one of
// those below it, and on to the pixels.

import { paint } from "./colours.js";
import { button, fixed, make, pixelCanvas } from "./dom.js";
import { settings } from "./generated.js";
import { say } from "./messages.js";
import { before, layerOf, unitAt } from "./network.js";
import { createSum, SUM } from "./sum.js";
import { fields, path, trace } from "./trace.js";
import { nameOf, shortName, step } from "./views.js";

/**
 * @typedef {import("./network.js").Unit} Unit
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./forward.js").Run} Run
 * @typedef {import("./trace.js").Trace} Trace
 */

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
  const sum = createSum({ descend, edit, toggle, reset, mayChange });
  const empty = make("p", { class: "lab-note" }, say("ask hint"));
  const content = make(
    "div",
    { hidden: true },
    make("div", { class: "lab-ask-head" }, title, value, button("×", close, { "aria-label": say("close"), title: say("close"), class: "lab-close" })),
    crumbs,
    make("div", { class: "lab-ask-tools" }, make("figure", { class: "lab-field" }, make("div", { class: "lab-map" }, field, fieldMark), fieldText), make("div", { class: "lab-nudges", role: "group", "aria-label": say("nudges") }, ...nudges, down)),
    sum.element,
  );
  const element = make("section", { class: "lab-ask", "aria-label": say("ask title") }, empty, content);

  /** @type {Run} */
  let run;
  /** @type {Unit[]} */
  let trail = [];

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
    run = next;
    trail = nextTrail;
    element.classList.toggle("lab-asked", trail.length > 0);
    empty.hidden = trail.length > 0;
    content.hidden = trail.length === 0;
    if (!trail.length) return;
    const { network } = run;
    const unit = here();
    const traced = withoutFlatten(trace(run, unit));
    title.textContent = nameOf(network, unit);
    value.textContent = `= ${fixed(traced.value, SUM)}`;
    showField(unit);
    showTrail();
    const [channels, height, width] = layerOf(network, unit.layer).shape;
    nudges.forEach((one, i) => (one.disabled = i >= 4 ? channels === 1 || height * width === 1 : height * width === 1 && (i === 1 || i === 2)));
    down.disabled = traced.kind === "pixels";
    sum.show(run, traced);
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
          ? make("span", { "aria-current": "step" }, shortName(run.network, unit))
          : button(shortName(run.network, unit), () => {
              go(trail.slice(0, i + 1));
              title.focus({ preventScroll: true });
            }),
      ),
    );
    crumbs.scrollLeft = crumbs.scrollWidth;
  }

  return { element, show, renew: sum.renew, focus: () => title.focus({ preventScroll: true }) };
}
