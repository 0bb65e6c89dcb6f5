// Digits of the test set, to load; and some that people wrote, if the build had any.

import { paint } from "./colours.js";
import { button, make, pixelCanvas } from "./dom.js";
import { settings } from "./generated.js";
import { unpackPixels } from "./link.js";
import { say } from "./messages.js";
import { runScript } from "./network.js";

/**
 * @typedef {object} Sample  as gen/figures/lab/lab.py packs it
 * @property {number} label
 * @property {number} index    its place in the test set
 * @property {boolean} misread LeNet gets it wrong
 * @property {string} pixels
 */

const { count, written, each } = settings.samples;
const shelf = /** @type {{ cnnvizSamples?: Record<number, string> }} */ (globalThis);

/**
 * Any image of the test set, and after its last one those that people wrote; the file that it is in is fetched when it is first asked for.
 *
 * @param {number} index
 */
async function fetchSample(index) {
  const file = Math.floor(index / each);
  if (!shelf.cnnvizSamples?.[file]) await runScript(`samples-${file}`);
  const [label, packed] = (shelf.cnnvizSamples?.[file].split("\n")[index % each] ?? "").split(" ");
  const pixels = unpackPixels(packed ?? "");
  if (!pixels) throw new Error(`Test image ${index} is damaged.`);
  return { pixels, name: settings.classNames[Number(label)] };
}

/**
 * @param {Sample[]} samples
 * @param {(pixels: Float32Array, message: string) => void} load
 * @param {(error: unknown) => void} fail
 */
export function createSamples(samples, load, fail) {
  const buttons = samples.map((sample) => {
    const { label, index, misread } = sample;
    const name = settings.classNames[label];
    const words = say(misread ? "sample misread" : "sample label", { name });
    const thumb = pixelCanvas(settings.side, settings.side);
    const pixels = unpackPixels(sample.pixels);
    if (!pixels) throw new Error(`Sample ${index} is damaged.`);
    paint(thumb, pixels, "grey", [0, 1]);
    const choose = () => {
      want(index);
      show(pixels, index, name);
    };
    const one = button("", choose, { class: `lab-sample${misread ? " lab-misread" : ""}`, "aria-label": words, title: words });
    one.append(thumb);
    return one;
  });

  const truth = make("p", { class: "lab-note" });
  const number = make("input", { type: "number", min: 0, max: count - 1, step: 1, "aria-label": say("sample number"), change: () => ask(number.valueAsNumber) });
  const random = button(say("random sample"), () => ask(Math.floor(Math.random() * count)));
  const byPeople = button(say("random sample"), () => get(count + Math.floor(Math.random() * written)), { "aria-label": say("random written") });
  let wanted = -1;

  /** @param {Float32Array} pixels @param {number} index @param {string} name */
  function show(pixels, index, name) {
    const words = index < count ? say("sample loaded", { index, name }) : say("written loaded", { index: index - count, name });
    load(pixels, words);
    truth.textContent = words;
  }

  /** @param {number} index */
  function ask(index) {
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      truth.textContent = say("sample unknown", { last: count - 1 });
      return;
    }
    get(index);
  }

  /** @param {number} index */
  function want(index) {
    wanted = index;
    number.value = index >= 0 && index < count ? String(index) : "";
  }

  /** @param {number} index */
  async function get(index) {
    want(index);
    try {
      const { pixels, name } = await fetchSample(index);
      if (wanted === index) show(pixels, index, name); // else the reader has moved on
    } catch (error) {
      fail(error);
    }
  }

  return {
    element: make(
      "section",
      { "aria-label": say("samples") },
      make("div", { class: "lab-samples" }, ...buttons),
      samples.some(({ misread }) => misread) && make("p", { class: "lab-note" }, say("samples hint")),
      make("div", { class: "lab-any-sample" }, make("span", {}, say("any sample")), number, make("span", {}, say("any sample after", { count: count.toLocaleString("en") })), random),
      written > 0 && make("div", { class: "lab-any-sample" }, make("span", {}, say("written")), byPeople),
      truth,
    ),
    /** What a reader sees first. */
    loadFirst: () => buttons[Math.min(7, buttons.length - 1)]?.click(),
    /** What lies on the pad is no sample any more. */
    forget: () => {
      truth.textContent = "";
      want(-1);
    },
  };
}
