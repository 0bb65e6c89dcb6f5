// A network as the lab holds it: a chain of layers, and weights by PyTorch's names.

/**
 * @typedef {"pixels" | "centre" | "conv" | "relu" | "pool" | "flatten" | "linear" | "softmax"} Kind
 *
 * @typedef {object} Layer
 * @property {string} name      as in cnnviz.nets.models; "pixels" first, "probabilities" last
 * @property {Kind} kind
 * @property {[number, number, number]} shape  channels, rows, columns; flat layers are n, 1, 1
 * @property {number} [kernel]  side of the kernels ("conv") or of the window ("pool")
 * @property {number} [padding] zeros around the map ("conv")
 * @property {number} [mean]    subtracted from each pixel ("centre"), which is then
 * @property {number} [std]     divided by this
 *
 * @typedef {object} Network
 * @property {string} name
 * @property {string} model
 * @property {Layer[]} layers   each takes the output of the one before it
 * @property {Record<string, Float32Array>} weights  "conv1.weight" [out][in][row][column],
 *   "fc1.weight" [out][in], "conv1.bias" [out], …
 *
 * @typedef {object} Unit       one value of one layer
 * @property {string} layer
 * @property {number} channel
 * @property {number} row
 * @property {number} column
 *
 * @typedef {object} PackedTensor  as gen/lab/files.py packs it: a whole number times 2^−bits each
 * @property {number} size
 * @property {number} [bits]
 * @property {string} [digits]  all numbers' first base-64 digits, then all second, then all third
 * @property {string} [float32] or the four bytes of each float, in base 64
 *
 * @typedef {object} PackedNetwork
 * @property {string} name
 * @property {string} model
 * @property {Layer[]} layers
 * @property {Record<string, PackedTensor>} tensors
 */

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The numbers of a tensor. A digit of equal weight stands next to its like because that is what
 * compresses well: first digits are nearly all the same.
 *
 * @param {PackedTensor} packed
 */
export function unpack({ size, bits = 0, digits = "", float32 }) {
  if (float32 !== undefined) {
    return new Float32Array(Uint8Array.from(atob(float32), (byte) => byte.charCodeAt(0)).buffer);
  }
  const valueOf = new Uint8Array(128);
  for (let i = 0; i < 64; i++) valueOf[DIGITS.charCodeAt(i)] = i;
  const digit = (/** @type {number} */ i) => valueOf[digits.charCodeAt(i)];
  const numbers = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const whole = (digit(i) * 64 + digit(size + i)) * 64 + digit(2 * size + i);
    numbers[i] = (whole - 64 ** 3 / 2) / 2 ** bits; // the middle of the digits' range is zero
  }
  return numbers;
}

/**
 * @param {PackedNetwork} packed
 * @returns {Network}
 */
export function unpackNetwork({ name, model, layers, tensors }) {
  const weights = Object.fromEntries(Object.entries(tensors).map(([key, packed]) => [key, unpack(packed)]));
  return { name, model, layers, weights };
}

// Files of weights are plain scripts that put themselves here: a page opened from disk may neither
// fetch nor import, but it may have scripts.
const shelf = /** @type {{ cnnvizNetworks?: Record<string, PackedNetwork> }} */ (globalThis);
const here = typeof document === "undefined" ? null : /** @type {HTMLScriptElement | null} */ (document.currentScript);
/** @type {Map<string, Promise<Network>>} */
const loading = new Map();

/**
 * The network of that name; its file, beside this script, is read when it is first asked for.
 *
 * @param {string} name
 * @returns {Promise<Network>}
 */
export function load(name) {
  let network = loading.get(name);
  if (!network) {
    network = read(name);
    network.catch(() => loading.delete(name)); // ask again, perhaps the connection is back
    loading.set(name, network);
  }
  return network;
}

/** @param {string} name */
async function read(name) {
  if (!shelf.cnnvizNetworks?.[name]) await runScript(name);
  const packed = shelf.cnnvizNetworks?.[name];
  if (!packed) throw new Error(`The file of the weights "${name}" holds something else.`);
  return unpackNetwork(packed);
}

/**
 * Runs a script of the lab's files, which lie beside this one.
 *
 * @param {string} name
 * @returns {Promise<void>}
 */
export function runScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${name}.js`, here?.src ?? document.baseURI).href;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`"${name}" could not be loaded from ${script.src}.`));
    document.head.append(script);
  });
}

/**
 * The same network with weights of its own, to be changed.
 *
 * @param {Network} network
 * @returns {Network}
 */
export function copy(network) {
  const own = Object.entries(network.weights).map(([key, weights]) => [key, weights.slice()]);
  return { ...network, weights: Object.fromEntries(own) };
}

/**
 * @param {Network} network
 * @param {string} name
 */
export function layerOf(network, name) {
  const layer = network.layers.find((one) => one.name === name);
  if (!layer) throw new Error(`${network.name} has no layer "${name}".`);
  return layer;
}

/**
 * The layer whose output is the input of that one; none before the pixels.
 *
 * @param {Network} network
 * @param {string} name
 * @returns {Layer | undefined}
 */
export function before(network, name) {
  return network.layers[network.layers.indexOf(layerOf(network, name)) - 1];
}

/**
 * Where a unit stands in its layer's values.
 *
 * @param {Layer} layer
 * @param {{ channel: number, row: number, column: number }} unit
 */
export function indexOf({ shape: [, rows, columns] }, { channel, row, column }) {
  return (channel * rows + row) * columns + column;
}

/**
 * @param {Layer} layer
 * @param {number} index
 * @returns {Unit}
 */
export function unitAt({ name, shape: [, rows, columns] }, index) {
  const channel = Math.floor(index / (rows * columns));
  return { layer: name, channel, row: Math.floor(index / columns) % rows, column: index % columns };
}

/**
 * The weights between an input channel and an output channel, as a window onto the network's own:
 * writing into it changes the network.
 *
 * @param {Network} network
 * @param {string} layer
 * @param {number} output
 * @param {number} input
 */
export function kernelOf(network, layer, output, input) {
  const { kernel = 1 } = layerOf(network, layer);
  const [inputs] = /** @type {Layer} */ (before(network, layer)).shape;
  const size = kernel * kernel;
  const start = (output * inputs + input) * size;
  return network.weights[`${layer}.weight`].subarray(start, start + size);
}
