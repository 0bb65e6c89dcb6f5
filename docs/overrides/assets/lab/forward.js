// The forward pass: from pixels to probabilities, every layer's values kept.
//
// A map of C channels with R rows and S columns is one array of C·R·S numbers, row after row, as in
// PyTorch, and of the same single precision.

import { fastest } from "./kernel.js";

/** @import { Network, Layer } from "./network.js" */
/** @import { Kernel } from "./kernel.js" */

/**
 * @typedef {Record<string, number[]>} Off  layer → channels that are switched off: they answer 0
 *
 * @typedef {object} Run  what every layer put out for one image
 * @property {Network} network
 * @property {Off} off
 * @property {Record<string, Float32Array>} values  by name of the layer
 * @property {number} prediction  the class with the largest logit
 */

/**
 * @param {Network} network
 * @param {ArrayLike<number>} pixels  from 0 to 1, row after row
 * @param {Off} [off]
 * @param {Kernel} [kernel]  what takes the sums
 * @returns {Run}
 */
export function forward(network, pixels, off = {}, kernel = fastest) {
  const sizes = network.layers.map(({ shape: [channels, rows, columns] }) => channels * rows * columns);
  const room = new Float32Array(sizes.reduce((sum, size) => sum + size)); // for all layers at once: it is faster
  /** @type {Record<string, Float32Array>} */
  const values = {};
  let x = room;
  let shape = network.layers[0].shape;
  let used = 0;
  network.layers.forEach((layer, i) => {
    const y = room.subarray(used, (used += sizes[i]));
    const weights = network.weights[`${layer.name}.weight`];
    const biases = network.weights[`${layer.name}.bias`];
    switch (layer.kind) {
      case "pixels": y.set(pixels); break;
      case "centre": centre(x, y, layer); break;
      case "conv": convolve(kernel, x, shape, weights, biases, y, layer); break;
      case "relu": relu(x, y); break;
      case "pool": pool(x, shape, y, layer); break;
      case "flatten": y.set(x); break; // the same numbers, now in one row
      case "linear": linear(kernel, x, weights, biases, y); break;
      case "softmax": softmax(x, y); break;
    }
    const mapSize = layer.shape[1] * layer.shape[2];
    for (const channel of off[layer.name] ?? []) y.fill(0, channel * mapSize, (channel + 1) * mapSize);
    values[layer.name] = x = y;
    shape = layer.shape;
  });
  return { network, off, values, prediction: largest(values.output) };
}

/**
 * @param {Float32Array} x
 * @param {Float32Array} y
 * @param {Layer} layer
 */
function centre(x, y, { mean = 0, std = 1 }) {
  for (let i = 0; i < x.length; i++) y[i] = (x[i] - mean) / std;
}

/**
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
function relu(x, y) {
  for (let i = 0; i < x.length; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

/**
 * Every output is its bias plus the sum of a patch of the input, times the kernel, over all input
 * channels. For speed this goes kernel row by kernel row and slides over whole maps as if their rows
 * were one long row. Where a patch would reach around the end of a row it gives a number that
 * belongs to no output; those are left out at the end.
 *
 * @param {Kernel} kernel
 * @param {Float32Array} x
 * @param {[number, number, number]} inputShape
 * @param {Float32Array} weights  [outputs][inputs][5][5]
 * @param {Float32Array} biases
 * @param {Float32Array} y
 * @param {Layer} layer  with kernels of 5×5
 */
function convolve({ memory, slide }, x, [inputs, height, width], weights, biases, y, { shape: [outputs, rows, columns], padding = 0 }) {
  const stride = width + 2 * padding;
  const mapSize = (height + 2 * padding) * stride;
  const count = rows * stride;
  const start = count + 4; // the memory holds the sums of one output channel, then the padded input
  pad(x, inputs, height, width, padding, memory.subarray(start, start + inputs * mapSize + 8));
  for (let output = 0; output < outputs; output++) {
    memory.fill(biases[output], 0, count);
    for (let input = 0; input < inputs; input++) {
      for (let row = 0; row < 5; row++) {
        const w = ((output * inputs + input) * 5 + row) * 5;
        slide(0, start + input * mapSize + row * stride, count, weights[w], weights[w + 1], weights[w + 2], weights[w + 3], weights[w + 4]);
      }
    }
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        y[(output * rows + row) * columns + column] = memory[row * stride + column];
      }
    }
  }
}

/**
 * The maps with a border of zeros.
 *
 * @param {Float32Array} x
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @param {number} padding
 * @param {Float32Array} padded  where to write them
 */
function pad(x, channels, height, width, padding, padded) {
  padded.fill(0);
  const stride = width + 2 * padding;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      const from = (channel * height + row) * width;
      const to = (channel * (height + 2 * padding) + row + padding) * stride + padding;
      for (let column = 0; column < width; column++) padded[to + column] = x[from + column];
    }
  }
}

/**
 * The largest of each window of 2×2.
 *
 * @param {Float32Array} x
 * @param {[number, number, number]} inputShape
 * @param {Float32Array} y
 * @param {Layer} layer
 */
function pool(x, [, height, width], y, { shape: [channels, rows, columns] }) {
  let i = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const above = (channel * height + 2 * row) * width + 2 * column;
        const below = above + width;
        y[i++] = Math.max(x[above], x[above + 1], x[below], x[below + 1]);
      }
    }
  }
}

/**
 * Every output is its bias plus the sum of all inputs times their weights.
 *
 * @param {Kernel} kernel
 * @param {Float32Array} x
 * @param {Float32Array} weights  [outputs][inputs]
 * @param {Float32Array} biases
 * @param {Float32Array} y
 */
function linear({ memory, dot }, x, weights, biases, y) {
  memory.set(x);
  memory.set(weights, x.length);
  biases.forEach((bias, output) => {
    y[output] = bias + dot(0, x.length * (1 + output), x.length);
  });
}

/**
 * Shares that add up to 1. Subtracting the largest changes none of them, but keeps exp() in range.
 *
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
function softmax(x, y) {
  const top = Math.max(...x);
  const powers = Array.from(x, (logit) => Math.exp(logit - top));
  const total = powers.reduce((sum, power) => sum + power);
  y.set(powers.map((power) => power / total));
}

/**
 * Where the largest number stands, the first one of equals.
 *
 * @param {ArrayLike<number>} numbers
 */
export function largest(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}
