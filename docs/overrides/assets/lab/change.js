// What may be changed: which weights, single numbers of them, and which channels answer.

import { make, percent } from "./dom.js";
import { settings } from "./generated.js";
import { say } from "./messages.js";
import { copy, load } from "./network.js";

/**
 * @typedef {import("./network.js").Network} Network
 *
 * @typedef {object} Weights  what the main network is at the moment
 * @property {string} name
 * @property {Network} network   its own copy: editing it hurts no other
 * @property {Map<string, [key: string, index: number, value: number]>} edits
 */

/** Snapshots of the training, the first before any step, the last the network of the course. */
export const SNAPSHOTS = settings.networks.filter(({ model }) => model === "lenet").sort((a, b) => a.step - b.step);

/**
 * @param {string} name  of a file, or "random-" and a seed
 * @returns {Promise<Weights>}
 */
export async function take(name) {
  const seed = /^random-(\d+)$/.exec(name)?.[1];
  const network = copy(await load(seed ? "lenet" : name));
  if (seed) randomise(network, Number(seed));
  network.name = name;
  return { name, network, edits: new Map() };
}

/**
 * @param {Weights} weights
 * @param {string} key      "conv1.weight"
 * @param {number} index
 * @param {number} value
 */
export function edit({ network, edits }, key, index, value) {
  network.weights[key][index] = value;
  edits.set(`${key}${index}`, [key, index, value]);
}

/**
 * Numbers as a network starts with, in PyTorch's way: even between ±1/√inputs, for weights and biases.
 *
 * @param {Network} network
 * @param {number} seed
 */
function randomise({ weights }, seed) {
  const random = generator(seed);
  for (const [key, numbers] of Object.entries(weights)) {
    const layer = key.split(".")[0];
    const inputs = weights[`${layer}.weight`].length / weights[`${layer}.bias`].length;
    for (let i = 0; i < numbers.length; i++) numbers[i] = (2 * random() - 1) / Math.sqrt(inputs);
  }
}

/** Mulberry32 by Tommy Ettinger: the same numbers for the same seed, so that a link can name them. @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The slider over the snapshots, and what it says.
 *
 * @param {(name: string) => void} choose
 */
export function createSnapshots(choose) {
  const last = SNAPSHOTS.length - 1;
  const slider = make("input", { type: "range", min: 0, max: last, value: last, step: 1, "aria-label": say("snapshot") });
  const text = make("output");
  const named = (/** @type {number} */ at) => say("snapshot text", { step: SNAPSHOTS[at].step, accuracy: percent(SNAPSHOTS[at].accuracy) });
  slider.addEventListener("input", () => {
    text.textContent = named(slider.valueAsNumber);
    choose(SNAPSHOTS[slider.valueAsNumber].name);
  });
  const element = make("label", { class: "lab-snapshots" }, make("span", {}, say("snapshot")), slider, text);

  /** @param {string} name */
  function show(name) {
    const at = SNAPSHOTS.findIndex((one) => one.name === name);
    if (at >= 0) slider.value = String(at);
    text.textContent = at >= 0 ? named(at) : say("random text");
    slider.setAttribute("aria-valuetext", text.textContent);
  }

  return { element, show };
}
