// What speaks for a class: the parts of its logit, by hidden unit and by channel.

import { before, layerOf } from "./network.js";
import { forward } from "./forward.js";
import { gradients } from "./gradient.js";

/** @import { Run } from "./forward.js" */
/** @import { Layer } from "./network.js" */

/**
 * The parts of a logit by unit of the last hidden layer: activation times weight. With the bias they
 * add up to the logit; that is the logit's own sum.
 *
 * @param {Run} run
 * @param {number} k  the class
 */
export function unitContributions({ network, values }, k) {
  const { name: layer } = /** @type {Layer} */ (before(network, "output"));
  const activations = values[layer];
  const weights = network.weights["output.weight"];
  const parts = activations.map((activation, i) => activation * weights[k * activations.length + i]);
  const bias = network.weights["output.bias"][k];
  return { layer, parts, bias, sum: total(parts) + bias };
}

/**
 * What each channel of a layer does for a logit, told in two ways.
 *
 * `drops`: by how much the logit falls when the channel is switched off and all else is computed
 * anew. The switch shows the same. Channels stand in for each other, so drops need not add up.
 *
 * `parts`: gradient times activation, summed over the channel's map. From that layer to the logit
 * the network is a linear function as long as the same units stay on, so that the parts and `rest`,
 * which is what the biases bring, add up to the logit.
 *
 * @param {Run} run
 * @param {number} k  the class
 * @param {string} layer
 */
export function channelContributions(run, k, layer = "conv2") {
  const { network, values, off } = run;
  const [channels, rows, columns] = layerOf(network, layer).shape;
  const logit = values.output[k];
  const gradient = gradients(run, k)[layer];
  const drops = new Float32Array(channels);
  const parts = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const without = { ...off, [layer]: [...(off[layer] ?? []), channel] };
    drops[channel] = logit - forward(network, values.pixels, without).values.output[k];
    const map = [channel * rows * columns, (channel + 1) * rows * columns];
    parts[channel] = total(values[layer].subarray(...map).map((value, i) => value * gradient[map[0] + i]));
  }
  return { layer, drops, parts, rest: logit - total(parts), sum: logit };
}

/** @param {Float32Array} numbers */
function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
