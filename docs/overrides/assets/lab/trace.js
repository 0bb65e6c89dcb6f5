// Where a value comes from: the terms it is the sum of, one layer down, and so on to the pixels.

import { before, indexOf, layerOf, unitAt } from "./network.js";

/** @import { Kind, Layer, Network, Unit } from "./network.js" */
/** @import { Run } from "./forward.js" */

/**
 * @typedef {object} Term  one summand
 * @property {Unit} unit       whose value it takes, in the layer before
 * @property {number} input    that value
 * @property {number} weight
 * @property {number} product  input · weight (softmax: the power of e, before it is divided)
 * @property {boolean} padding it is one of the zeros around the map: there is no such unit
 * @property {boolean} passes  it has a part in the value: false for a loser in pooling, a
 *   negative number in ReLU, a rival in softmax
 *
 * @typedef {object} Trace
 * @property {Unit} unit
 * @property {Kind} kind
 * @property {number} value    as the forward pass has it
 * @property {number} bias
 * @property {Term[]} terms    in order of channel, row, column
 * @property {number} sum      the value made anew from bias and terms
 * @property {boolean} off     switched off: it answers 0, whatever the terms say
 */

/**
 * @param {Run} run
 * @param {Unit} unit
 * @returns {Trace}
 */
export function trace(run, unit) {
  const { network, values, off: switches } = run;
  const layer = layerOf(network, unit.layer);
  const value = values[layer.name][indexOf(layer, unit)];
  const off = Boolean(switches[layer.name]?.includes(unit.channel));
  const { bias, terms } = sources(run, layer, unit);
  let sum = layer.kind === "pixels" ? value : bias;
  for (const { product, passes } of terms) if (passes) sum += product;
  if (layer.kind === "softmax") sum *= terms[unit.channel].weight;
  return { unit, kind: layer.kind, value, bias, terms, sum: off ? 0 : sum, off };
}

/**
 * @param {Run} run
 * @param {Layer} layer
 * @param {Unit} unit
 * @returns {{ bias: number, terms: Term[] }}
 */
function sources({ network, values }, layer, unit) {
  const source = before(network, layer.name);
  if (!source) return { bias: 0, terms: [] };
  const x = values[source.name];
  const weights = network.weights[`${layer.name}.weight`];
  const bias = network.weights[`${layer.name}.bias`]?.[unit.channel] ?? 0;
  const same = { ...unit, layer: source.name };
  const term = (/** @type {Unit} */ from, weight = 1, passes = true) => {
    const input = x[indexOf(source, from)];
    return { unit: from, input, weight, product: input * weight, padding: false, passes };
  };
  switch (layer.kind) {
    case "centre": {
      const { mean = 0, std = 1 } = layer;
      return { bias: -mean / std, terms: [term(same, 1 / std)] };
    }
    case "conv":
      return { bias, terms: patch(layer, source, unit, weights, x) };
    case "relu": {
      const passes = x[indexOf(source, same)] > 0;
      return { bias: 0, terms: [term(same, Number(passes), passes)] };
    }
    case "pool": {
      const window = poolWindow(layer, source, unit);
      const winner = poolWinner(window, source, x);
      return { bias: 0, terms: window.map((one, i) => term(one, Number(i === winner), i === winner)) };
    }
    case "flatten":
      return { bias: 0, terms: [term(unitAt(source, unit.channel))] };
    case "linear": {
      const row = unit.channel * x.length;
      return { bias, terms: Array.from(x, (_, i) => term(unitAt(source, i), weights[row + i])) };
    }
    case "softmax": {
      const top = Math.max(...x);
      const powers = Array.from(x, (logit) => Math.exp(logit - top));
      const weight = 1 / powers.reduce((sum, power) => sum + power);
      const terms = powers.map((product, i) => ({ ...term(unitAt(source, i), weight, i === unit.channel), product }));
      return { bias: 0, terms };
    }
  }
  throw new Error(`No way down from "${layer.name}".`);
}

/**
 * The terms of a convolution: a patch of each input channel and the kernel that lies on it.
 *
 * @param {Layer} layer
 * @param {Layer} source
 * @param {Unit} unit
 * @param {Float32Array} weights
 * @param {Float32Array} x
 */
function patch({ kernel = 1, padding = 0 }, source, unit, weights, x) {
  const [inputs, height, width] = source.shape;
  const terms = [];
  let w = unit.channel * inputs * kernel * kernel;
  for (let channel = 0; channel < inputs; channel++) {
    for (let i = 0; i < kernel; i++) {
      for (let j = 0; j < kernel; j++, w++) {
        const from = { layer: source.name, channel, row: unit.row - padding + i, column: unit.column - padding + j };
        const outside = from.row < 0 || from.row >= height || from.column < 0 || from.column >= width;
        const input = outside ? 0 : x[indexOf(source, from)];
        terms.push({ unit: from, input, weight: weights[w], product: input * weights[w], padding: outside, passes: true });
      }
    }
  }
  return terms;
}

/**
 * The units among which a unit of pooling takes the largest.
 *
 * @param {Layer} layer
 * @param {Layer} source
 * @param {Unit} unit
 * @returns {Unit[]}
 */
export function poolWindow({ kernel = 2 }, source, { channel, row, column }) {
  return Array.from({ length: kernel * kernel }, (_, i) => ({
    layer: source.name,
    channel,
    row: row * kernel + Math.floor(i / kernel),
    column: column * kernel + (i % kernel),
  }));
}

/**
 * Which of the window's units is the largest; of equals the first, as in PyTorch.
 *
 * @param {Unit[]} window
 * @param {Layer} source
 * @param {ArrayLike<number>} x
 */
export function poolWinner(window, source, x) {
  const inputs = window.map((unit) => x[indexOf(source, unit)]);
  return inputs.indexOf(Math.max(...inputs));
}

/**
 * Of a convolution: the sum of the products of each input channel. With the bias they make the value.
 *
 * @param {Trace} traced
 */
export function channelSums({ terms }) {
  /** @type {number[]} */
  const sums = [];
  for (const { unit, product } of terms) sums[unit.channel] = (sums[unit.channel] ?? 0) + product;
  return sums;
}

/**
 * The term that adds or takes most, which is the one to follow down. Zeros of the padding have no
 * unit to go to.
 *
 * @param {Trace} traced
 * @returns {Term | undefined}
 */
export function strongest({ terms }) {
  /** @type {Term | undefined} */
  let best;
  for (const term of terms) {
    if (term.padding || (!term.passes && terms.length > 1)) continue;
    if (!best || Math.abs(term.product) > Math.abs(best.product)) best = term;
  }
  return best;
}

/**
 * From a unit down to one pixel, always by the strongest term.
 *
 * @param {Run} run
 * @param {Unit} unit
 * @returns {Trace[]}
 */
export function path(run, unit) {
  const steps = [trace(run, unit)];
  for (let next = strongest(steps[0]); next; next = strongest(steps[steps.length - 1])) {
    steps.push(trace(run, next.unit));
  }
  return steps;
}

/**
 * @typedef {object} Box  the part of a layer that a unit can see; the second number is one past the last
 * @property {[number, number]} channels
 * @property {[number, number]} rows
 * @property {[number, number]} columns
 * @property {boolean} padding  it reaches beyond the border of the map
 */

/**
 * The receptive field of a unit in its own layer and in every layer before it, down to the pixels.
 *
 * @param {Network} network
 * @param {Unit} unit
 * @returns {Record<string, Box>}
 */
export function fields(network, unit) {
  let box = /** @type {Box} */ ({
    channels: [unit.channel, unit.channel + 1],
    rows: [unit.row, unit.row + 1],
    columns: [unit.column, unit.column + 1],
    padding: false,
  });
  /** @type {Record<string, Box>} */
  const found = { [unit.layer]: box };
  let layer = layerOf(network, unit.layer);
  for (let source = before(network, layer.name); source; source = before(network, layer.name)) {
    found[source.name] = box = seen(layer, source, box);
    layer = source;
  }
  return found;
}

/**
 * What of the layer before is seen by a box of this layer.
 *
 * @param {Layer} layer
 * @param {Layer} source
 * @param {Box} box
 * @returns {Box}
 */
function seen({ kind, kernel = 1, padding = 0 }, source, box) {
  const [channels, height, width] = source.shape;
  switch (kind) {
    case "conv": {
      const rows = within(box.rows[0] - padding, box.rows[1] - padding + kernel - 1, height);
      const columns = within(box.columns[0] - padding, box.columns[1] - padding + kernel - 1, width);
      return { channels: [0, channels], rows: rows.range, columns: columns.range, padding: rows.cut || columns.cut };
    }
    case "pool":
      return {
        channels: box.channels,
        rows: [box.rows[0] * kernel, box.rows[1] * kernel],
        columns: [box.columns[0] * kernel, box.columns[1] * kernel],
        padding: false,
      };
    case "flatten": {
      const [from, to] = box.channels;
      if (to - from > 1) break;
      const { channel, row, column } = unitAt(source, from);
      return { channels: [channel, channel + 1], rows: [row, row + 1], columns: [column, column + 1], padding: false };
    }
    case "linear":
    case "softmax":
      break;
    default:
      return { ...box, padding: false };
  }
  return { channels: [0, channels], rows: [0, height], columns: [0, width], padding: false };
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} size
 * @returns {{ range: [number, number], cut: boolean }}
 */
function within(from, to, size) {
  return { range: [Math.max(from, 0), Math.min(to, size)], cut: from < 0 || to > size };
}
