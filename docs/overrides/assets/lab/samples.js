// Digits of the test set, to load.

import { paint } from "./colours.js";
import { button, make, pixelCanvas } from "./dom.js";
import { settings } from "./generated.js";
import { unpackPixels } from "./link.js";
import { say } from "./messages.js";

/**
 * @typedef {object} Sample  as gen/figures/lab.py packs it
 * @property {number} label
 * @property {number} index    its place in the test set
 * @property {boolean} misread LeNet gets it wrong
 * @property {string} pixels
 */

/**
 * @param {Sample[]} samples
 * @param {(pixels: Float32Array, message: string) => void} load
 */
export function createSamples(samples, load) {
  const buttons = samples.map((sample) => {
    const { label, index, misread } = sample;
    const name = settings.classNames[label];
    const words = say(misread ? "sample misread" : "sample label", { name });
    const thumb = pixelCanvas(settings.side, settings.side);
    const pixels = unpackPixels(sample.pixels);
    if (!pixels) throw new Error(`Sample ${index} is damaged.`);
    paint(thumb, pixels, "grey", [0, 1]);
    const one = button("", () => load(pixels, say("sample loaded", { index, name })), { class: `lab-sample${misread ? " lab-misread" : ""}`, "aria-label": words, title: words });
    one.append(thumb);
    return one;
  });
  return {
    element: make("div", { class: "lab-samples", role: "group", "aria-label": say("samples") }, ...buttons),
    /** What a reader sees first. */
    loadFirst: () => buttons[Math.min(7, buttons.length - 1)]?.click(),
  };
}
