// The backward pass for one logit: how fast it grows with each value of each layer, the pixels last.

import { indexOf, unitAt } from "./network.js";
import { poolWindow, poolWinner } from "./trace.js";

/** @import { Layer } from "./network.js" */
/** @import { Run } from "./forward.js" */

/**
 * The gradient of a logit by every value, from the logits down. That of a layer follows from that of
 * the layer after it by the chain rule: each step of the forward pass, taken backwards.
 *
 * @param {Run} run
 * @param {number} k  the class of the logit
 * @returns {Record<string, Float32Array>}
 */
export function gradients({ network, values, off }, k) {
  const { layers, weights } = network;
  const last = layers.findIndex(({ name }) => name === "output");
  let gradient = /** @type {Float32Array} */ (new Float32Array(values.output.length));
  gradient[k] = 1;
  /** @type {Record<string, Float32Array>} */
  const found = { output: gradient };
  for (let i = last; i > 0; i--) {
    const [layer, source] = [layers[i], layers[i - 1]];
    gradient = stepBack(layer, source, switchedOff(layer, gradient, off[layer.name]), values[source.name], weights[`${layer.name}.weight`]);
    found[source.name] = gradient;
  }
  return found;
}

/**
 * A channel that is switched off answers 0 whatever comes in: nothing before it matters through it.
 *
 * @param {Layer} layer
 * @param {Float32Array} gradient
 * @param {number[]} [channels]
 */
function switchedOff(layer, gradient, channels = []) {
  return channels.length ? gradient.map((slope, i) => (channels.includes(unitAt(layer, i).channel) ? 0 : slope)) : gradient;
}

/**
 * @param {Layer} layer
 * @param {Layer} source     the layer before
 * @param {Float32Array} gradient  by the layer's output
 * @param {Float32Array} x   the layer's input
 * @param {Float32Array} weights
 * @returns {Float32Array}   by the layer's input
 */
function stepBack(layer, source, gradient, x, weights) {
  switch (layer.kind) {
    case "centre": {
      const { std = 1 } = layer;
      return gradient.map((slope) => slope / std);
    }
    case "relu":
      return gradient.map((slope, i) => (x[i] > 0 ? slope : 0));
    case "pool": {
      const back = new Float32Array(x.length);
      gradient.forEach((slope, i) => {
        const window = poolWindow(layer, source, unitAt(layer, i));
        back[indexOf(source, window[poolWinner(window, source, x)])] += slope;
      });
      return back;
    }
    case "linear":
      return Float32Array.from(x, (_, input) => {
        let sum = 0;
        for (let output = 0; output < gradient.length; output++) sum += gradient[output] * weights[output * x.length + input];
        return sum;
      });
    case "conv":
      return convolveBack(layer, source, gradient, weights);
  }
  return gradient; // "flatten"
}

/**
 * Every output hands its gradient to the patch that it was made from, times the kernel's weights.
 *
 * @param {Layer} layer
 * @param {Layer} source
 * @param {Float32Array} gradient
 * @param {Float32Array} weights
 */
function convolveBack({ shape: [outputs, rows, columns], kernel = 1, padding = 0 }, { shape: [inputs, height, width] }, gradient, weights) {
  const back = new Float64Array(inputs * height * width);
  let from = 0;
  for (let output = 0; output < outputs; output++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const slope = gradient[from++];
        if (slope === 0) continue; // most are: ReLU and pooling let little through
        let w = output * inputs * kernel * kernel;
        for (let input = 0; input < inputs; input++) {
          for (let i = 0; i < kernel; i++) {
            for (let j = 0; j < kernel; j++, w++) {
              const y = row - padding + i, x = column - padding + j;
              if (y >= 0 && y < height && x >= 0 && x < width) back[(input * height + y) * width + x] += slope * weights[w];
            }
          }
        }
      }
    }
  }
  return Float32Array.from(back);
}
