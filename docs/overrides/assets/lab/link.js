// The state of the lab as text after the "#" of the address, so that it can be sent to somebody.
// After the "#" because a page opened from disk may change nothing else of its address.

/**
 * @typedef {import("./network.js").Unit} Unit
 *
 * @typedef {object} Shared  what an address tells; all of it may be missing
 * @property {Float32Array} [pixels]   the input, 28×28
 * @property {[number, number]} [shift]
 * @property {string} [model]          whose unit it is: "lenet" or "mlp"
 * @property {Unit} [unit]
 * @property {string} [weights]        name of the weights
 * @property {Record<string, number[]>} [off]
 * @property {[key: string, index: number, value: number][]} [edits]
 * @property {boolean} [beside]        the MLP is shown too
 * @property {boolean} [why]           what speaks for the class is open
 */

/**
 * Bytes as short text: a zero is followed by how often it comes, for most of a drawing is black.
 *
 * @param {Float32Array} pixels  from 0 to 1, in steps of 1/255
 */
export function packPixels(pixels) {
  /** @type {number[]} */
  const bytes = [];
  for (let i = 0; i < pixels.length; ) {
    const byte = Math.round(255 * pixels[i]);
    let run = 1;
    if (byte === 0) while (run < 255 && i + run < pixels.length && Math.round(255 * pixels[i + run]) === 0) run++;
    bytes.push(byte, ...(byte === 0 ? [run] : []));
    i += run;
  }
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {string} text
 * @returns {Float32Array | undefined}  nothing if it does not hold 28×28 pixels
 */
export function unpackPixels(text) {
  if (!/^[\w-]*$/.test(text)) return undefined;
  const pixels = [];
  let bytes;
  try {
    bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined; // cut short on its way
  }
  for (let i = 0; i < bytes.length && pixels.length <= 784; i++) {
    const byte = bytes.charCodeAt(i);
    if (byte) pixels.push(byte / 255);
    else for (let run = bytes.charCodeAt(++i); run > 0; run--) pixels.push(0);
  }
  return pixels.length === 784 ? Float32Array.from(pixels) : undefined;
}

/**
 * @param {Shared} shared
 * @returns {string}  without the "#"
 */
export function write({ pixels, shift, model, unit, weights, off = {}, edits = [], beside, why }) {
  const parts = new URLSearchParams();
  if (pixels) parts.set("draw", packPixels(pixels));
  if (shift && (shift[0] || shift[1])) parts.set("shift", shift.join("."));
  if (unit) parts.set("at", [model, unit.layer, unit.channel, unit.row, unit.column].join("."));
  if (weights && weights !== "lenet") parts.set("weights", weights);
  const switched = Object.entries(off).flatMap(([layer, channels]) => channels.map((channel) => `${layer}.${channel}`));
  if (switched.length) parts.set("off", switched.join("_"));
  if (edits.length) parts.set("edit", edits.map(([key, index, value]) => `${key.replace(".", "*")}*${index}*${Number(value.toPrecision(7))}`).join("_"));
  if (beside) parts.set("mlp", "1");
  if (why) parts.set("why", "1");
  return parts.toString();
}

/**
 * Is it the lab that this text speaks to? Else it may be a heading's.
 *
 * @param {string} hash
 */
export const isShared = (hash) => /^#?(draw|shift|at|weights|off|edit|mlp|why)=/.test(hash);

/**
 * What a text says; what it says badly is left out. That the units exist is for the lab to check.
 *
 * @param {string} hash  with or without the "#"
 * @returns {Shared}
 */
export function read(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  /** @type {Shared} */
  const shared = { pixels: unpackPixels(parts.get("draw") ?? ""), beside: parts.get("mlp") === "1", why: parts.get("why") === "1" };
  const whole = (/** @type {string | undefined} */ text) => (/^-?\d{1,6}$/.test(text ?? "") ? Number(text) : NaN);

  const [dx, dy] = (parts.get("shift") ?? "").split(".").map(whole);
  if (Math.abs(dx) <= 28 && Math.abs(dy) <= 28) shared.shift = [dx, dy];

  const [model, layer, ...place] = (parts.get("at") ?? "").split(".");
  const [channel, row, column] = place.map(whole);
  if (layer && channel >= 0 && row >= 0 && column >= 0) Object.assign(shared, { model, unit: { layer, channel, row, column } });

  const weights = parts.get("weights") ?? "";
  if (/^[a-z]+-\d{1,9}$/.test(weights)) shared.weights = weights;

  for (const one of (parts.get("off") ?? "").split("_")) {
    const [where, number] = one.split(".");
    if (whole(number) >= 0) (((shared.off ??= {})[where]) ??= []).push(whole(number));
  }
  for (const one of (parts.get("edit") ?? "").split("_")) {
    const [name, kind, index, value] = one.split("*");
    if (whole(index) >= 0 && Number.isFinite(parseFloat(value))) (shared.edits ??= []).push([`${name}.${kind}`, whole(index), parseFloat(value)]);
  }
  return shared;
}
