// The forward pass: from pixels to probabilities, every layer's values kept.
//
// A map of C channels with R rows and S columns is one array of C·R·S numbers, row after row, as in
// PyTorch. Sums are taken in double precision and rounded once, to the single precision of PyTorch.

/** @import { Network, Layer } from "./network.js" */

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
 * @returns {Run}
 */
export function forward(network, pixels, off = {}) {
  /** @type {Record<string, Float32Array>} */
  const values = { pixels: Float32Array.from(pixels) };
  let x = values.pixels;
  let shape = network.layers[0].shape;
  for (const layer of network.layers.slice(1)) {
    const weights = network.weights[`${layer.name}.weight`];
    const biases = network.weights[`${layer.name}.bias`];
    switch (layer.kind) {
      case "centre": x = centre(x, layer); break;
      case "conv": x = convolve(x, shape, weights, biases, layer); break;
      case "relu": x = x.map((value) => (value > 0 ? value : 0)); break;
      case "pool": x = pool(x, shape, layer); break;
      case "linear": x = linear(x, weights, biases); break;
      case "softmax": x = softmax(x); break;
      // "flatten": the same numbers, read as one row.
    }
    if (off[layer.name]) x = switchOff(x, layer, off[layer.name]);
    values[layer.name] = x;
    shape = layer.shape;
  }
  return { network, off, values, prediction: largest(values.output) };
}

/**
 * @param {Float32Array} x
 * @param {Layer} layer
 */
function centre(x, { mean = 0, std = 1 }) {
  return x.map((pixel) => (pixel - mean) / std);
}

/**
 * Every output is its bias plus the sum of a patch of the input, times the kernel, over all input
 * channels. For speed this goes kernel row by kernel row, the five weights of a row at once, and
 * slides over whole maps as if their rows were one long row; where a patch would reach around the
 * end of a row it gives a number that belongs to no output, and those are left out at the end.
 *
 * @param {Float32Array} x
 * @param {[number, number, number]} inputShape
 * @param {Float32Array} weights  [outputs][inputs][5][5]
 * @param {Float32Array} biases
 * @param {Layer} layer  with kernels of 5×5
 */
function convolve(x, [inputs, height, width], weights, biases, { shape: [outputs, rows, columns], padding = 0 }) {
  const padded = pad(x, inputs, height, width, padding);
  const stride = width + 2 * padding;
  const mapSize = (height + 2 * padding) * stride;
  const sums = new Float64Array(rows * stride);
  const y = new Float32Array(outputs * rows * columns);
  for (let output = 0; output < outputs; output++) {
    sums.fill(biases[output]);
    for (let input = 0; input < inputs; input++) {
      for (let row = 0; row < 5; row++) {
        const w = ((output * inputs + input) * 5 + row) * 5;
        const w0 = weights[w], w1 = weights[w + 1], w2 = weights[w + 2], w3 = weights[w + 3], w4 = weights[w + 4];
        const start = input * mapSize + row * stride;
        let x0 = padded[start], x1 = padded[start + 1], x2 = padded[start + 2], x3 = padded[start + 3];
        for (let i = 0; i < sums.length; i++) {
          const x4 = padded[start + i + 4];
          sums[i] += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
          x0 = x1, x1 = x2, x2 = x3, x3 = x4; // the window moves on by one pixel
        }
      }
    }
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        y[(output * rows + row) * columns + column] = sums[row * stride + column];
      }
    }
  }
  return y;
}

/**
 * The maps with a border of zeros, and four more zeros at the very end for the last window.
 *
 * @param {Float32Array} x
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @param {number} padding
 */
function pad(x, channels, height, width, padding) {
  const stride = width + 2 * padding;
  const padded = new Float64Array(channels * (height + 2 * padding) * stride + 4);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      const from = (channel * height + row) * width;
      const to = (channel * (height + 2 * padding) + row + padding) * stride + padding;
      for (let column = 0; column < width; column++) padded[to + column] = x[from + column];
    }
  }
  return padded;
}

/**
 * The largest of each window of 2×2.
 *
 * @param {Float32Array} x
 * @param {[number, number, number]} inputShape
 * @param {Layer} layer
 */
function pool(x, [, height, width], { shape: [channels, rows, columns] }) {
  const y = new Float32Array(channels * rows * columns);
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
  return y;
}

/**
 * Every output is its bias plus the sum of all inputs times their weights.
 *
 * @param {Float32Array} x
 * @param {Float32Array} weights  [outputs][inputs]
 * @param {Float32Array} biases
 */
function linear(x, weights, biases) {
  return biases.map((bias, output) => {
    let sum = bias;
    for (let input = 0, w = output * x.length; input < x.length; input++, w++) sum += weights[w] * x[input];
    return sum;
  });
}

/**
 * Shares that add up to 1. Subtracting the largest changes none of them, but keeps exp() in range.
 *
 * @param {Float32Array} logits
 */
export function softmax(logits) {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - top));
  const total = powers.reduce((sum, power) => sum + power);
  return Float32Array.from(powers, (power) => power / total);
}

/**
 * @param {Float32Array} x
 * @param {Layer} layer
 * @param {number[]} channels
 */
function switchOff(x, { shape: [, rows, columns] }, channels) {
  const y = x.slice();
  for (const channel of channels) y.fill(0, channel * rows * columns, (channel + 1) * rows * columns);
  return y;
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
