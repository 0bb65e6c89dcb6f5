// Why this class: what each hidden unit and each channel brings to a logit, and the input gradient.

import { limitsOf, gradient as legend, paint } from "./colours.js";
import { channelContributions, unitContributions } from "./contribution.js";
import { button, fixed, make, pixelCanvas, short } from "./dom.js";
import { settings } from "./generated.js";
import { gradients } from "./gradient.js";
import { layerName, say } from "./messages.js";
import { layerOf, unitAt } from "./network.js";

/**
 * @typedef {import("./network.js").Unit} Unit
 * @typedef {import("./forward.js").Run} Run
 */

const SHOWN = 8; // hidden units that are shown, those that bring or take most

/**
 * @param {object} options
 * @param {(trail: Unit[]) => void} options.go
 * @param {(layer: string, channel: number) => void} options.toggle
 * @param {() => void} options.open  the details were opened: they have not been computed before
 */
export function createWhy({ go, toggle, open }) {
  /** @type {number | null} */
  let chosen = null; // the class that is asked about; null for the one that wins
  /** @type {Run} */
  let run;
  const classes = make("select", { "aria-label": say("why class") });
  classes.append(make("option", { value: "" }, say("winning class")), ...settings.classNames.map((name, i) => make("option", { value: i }, name)));
  classes.addEventListener("change", () => {
    chosen = classes.value === "" ? null : Number(classes.value);
    show(run);
  });
  const units = make("ul", { class: "lab-terms lab-parts" });
  const others = make("ul", { class: "lab-terms lab-parts" });
  const othersBox = make("details", {}, make("summary", {}, say("why other units")), others);
  const unitsSum = make("p", { class: "lab-formula" });
  const channels = make("div", { class: "lab-channels" });
  const channelsText = make("p", { class: "lab-note" });
  const channelsSum = make("p", { class: "lab-note" });
  const picture = pixelCanvas(settings.side, settings.side);
  const [low, high] = [make("span"), make("span")];
  const bar = make("span", { class: "legend-bar legend-diverging" });
  bar.style.background = legend("diverging");
  const gradientShown = make("figure", { class: "lab-gradient", hidden: true }, make("div", { class: "lab-map" }, picture), make("figcaption", {}, make("span", { class: "legend" }, low, bar, high), make("br"), say("gradient words")));
  const gradientButton = button(say("show gradient"), () => {
    gradientShown.hidden = !gradientShown.hidden;
    gradientButton.setAttribute("aria-expanded", String(!gradientShown.hidden));
    show(run);
  }, { "aria-expanded": "false" });
  const heading = make("h3");
  const element = make(
    "details",
    { class: "lab-why" },
    make("summary", {}, say("why title")),
    make("div", { class: "lab-why-head" }, make("label", {}, say("why class"), " ", classes), gradientButton),
    make("div", { class: "lab-why-body" }, make("section", {}, heading, make("p", { class: "lab-note" }, say("why units")), units, unitsSum, othersBox), make("section", {}, make("h3", {}, say("why channels title")), channelsText, channels, channelsSum), gradientShown),
  );
  element.addEventListener("toggle", () => element.open && open());

  const tiles = Array.from({ length: 16 }, (_, channel) => {
    const map = pixelCanvas(10, 10);
    const [part, drop] = [make("b"), make("span")];
    const power = make("button", { type: "button", click: () => toggle("conv2", channel) }, make("span", { class: "lab-number" }, String(channel)), map, part, drop);
    channels.append(power);
    return { map, part, drop, power };
  });

  /** @param {Run} next */
  function show(next) {
    run = next;
    if (!element.open) return; // each channel costs a forward pass
    const k = chosen ?? run.prediction;
    const name = settings.classNames[k];
    heading.textContent = say("why units title", { name, logit: fixed(run.values.output[k], 3) });
    showUnits(k);
    showChannels(k);
    if (!gradientShown.hidden) {
      const { pixels } = gradients(run, k);
      const limits = limitsOf(pixels, "diverging");
      paint(picture, pixels, "diverging", limits);
      [low.textContent, high.textContent] = limits.map(short);
    }
  }

  /** @param {number} k */
  function showUnits(k) {
    const { layer, parts, bias, sum } = unitContributions(run, k);
    const order = [...parts.keys()].sort((a, b) => Math.abs(parts[b]) - Math.abs(parts[a]));
    const peak = Math.abs(parts[order[0]]) || 1;
    const rest = order.slice(SHOWN).reduce((total, i) => total + parts[i], 0);
    const line = (/** @type {number} */ i) => {
      const bar = make("i", { class: parts[i] < 0 ? "lab-negative" : "" });
      bar.style.width = `${(100 * Math.abs(parts[i])) / peak}%`;
      const unit = unitAt(layerOf(run.network, layer), i);
      return make("li", {}, make("button", { type: "button", click: () => go([{ layer: "output", channel: k, row: 0, column: 0 }, unit]) }, make("span", {}, `${layerName(layer)} [${i}]: ${fixed(parts[i], 3)}`), bar));
    };
    units.replaceChildren(...order.slice(0, SHOWN).map(line));
    others.replaceChildren(...order.slice(SHOWN).map(line));
    unitsSum.textContent = say("why units sum", {
      shown: fixed(order.slice(0, SHOWN).reduce((total, i) => total + parts[i], 0), 5),
      rest: fixed(rest, 5),
      count: order.length - SHOWN,
      bias: fixed(bias, 5),
      sum: fixed(sum, 5),
    });
  }

  /** @param {number} k */
  function showChannels(k) {
    const { drops, parts, rest } = channelContributions(run, k);
    const limits = limitsOf(run.values.relu2, "sequential");
    const off = run.off.conv2 ?? [];
    channelsText.textContent = say("why channels", { peak: short(limits[1]) });
    tiles.forEach(({ map, part, drop, power }, channel) => {
      paint(map, run.values.relu2, "sequential", limits, channel * 100);
      part.textContent = signed(parts[channel]);
      drop.textContent = say("falls by", { drop: signed(-drops[channel]) });
      power.setAttribute("aria-pressed", String(off.includes(channel)));
      power.setAttribute("aria-label", say("channel button", { channel, part: signed(parts[channel]), drop: signed(-drops[channel]), state: say(off.includes(channel) ? "is off" : "is on") }));
      power.classList.toggle("lab-off", off.includes(channel));
    });
    channelsSum.textContent = say("why channels sum", { parts: fixed(parts.reduce((total, part) => total + part, 0), 3), rest: fixed(rest, 3), logit: fixed(run.values.output[k], 3) });
  }

  /** @param {number} value */
  const signed = (value) => `${value > 0.005 ? "+" : ""}${fixed(value, 2)}`;

  return { element, show };
}
