// From numbers to colours: the palettes of the atlas, which the build hands over (cnnviz.drawing.palettes).

import { brush } from "./dom.js";
import { settings } from "./generated.js";

/**
 * @typedef {"sequential" | "diverging" | "grey"} Palette
 * @typedef {[low: number, high: number]} Limits  the values at both ends of a palette
 */

const LOWEST = 1, HIGHEST = 255; // row 0 of a palette is the gap between maps

/** @type {Record<string, Uint32Array>} */
const tables = {};
for (const [name, colours] of Object.entries(settings.palettes)) {
  const bytes = new Uint8Array(256 * 4).fill(255);
  for (let i = 0; i < 256; i++) {
    for (let j = 0; j < 3; j++) bytes[4 * i + j] = parseInt(colours.slice(6 * i + 2 * j, 6 * i + 2 * j + 2), 16);
  }
  tables[name] = new Uint32Array(bytes.buffer);
}

/**
 * The level of a value, as in cnnviz.drawing.mosaic.
 *
 * @param {number} value
 * @param {Limits} limits
 */
function level(value, [low, high]) {
  const share = high > low ? (value - low) / (high - low) : low < 0 ? 0.5 : 0;
  return Math.round(LOWEST + (HIGHEST - LOWEST) * Math.min(Math.max(share, 0), 1));
}

/**
 * `#rrggbb` of a value.
 *
 * @param {Palette} palette
 * @param {number} value
 * @param {Limits} limits
 */
export function colour(palette, value, limits) {
  return hex(palette, level(value, limits));
}

/**
 * @param {Palette} palette
 * @param {number} i
 */
function hex(palette, i) {
  return `#${settings.palettes[palette].slice(6 * i, 6 * i + 6)}`;
}

/**
 * Black or white, whichever is easier to read on a colour: 4.5:1 or more on any.
 *
 * @param {string} background  `#rrggbb`
 */
export function inkOn(background) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const code = parseInt(background.slice(at, at + 2), 16) / 255;
    return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

/**
 * A CSS gradient of a palette, for legends.
 *
 * @param {Palette} palette
 */
export function gradient(palette) {
  const stops = Array.from({ length: 17 }, (_, i) => hex(palette, Math.round(LOWEST + ((HIGHEST - LOWEST) * i) / 16)));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/**
 * Paints a map: as many numbers as the canvas has pixels, row after row, from `start` on.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {Palette} palette
 * @param {Limits} limits
 * @param {number} [start]
 */
export function paint(canvas, values, palette, limits, start = 0) {
  const { width, height } = canvas;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = tables[palette];
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[level(values[start + i], limits)];
  brush(canvas).putImageData(image, 0, 0);
}

/**
 * The limits that hold all values: around zero for signed ones, from zero up for others.
 *
 * @param {Float32Array} values
 * @param {Palette} palette
 * @returns {Limits}
 */
export function limitsOf(values, palette) {
  if (palette === "grey") return [0, 1];
  let peak = 0;
  for (const value of values) if (Math.abs(value) > peak) peak = Math.abs(value);
  return palette === "diverging" ? [-peak, peak] : [0, peak];
}
