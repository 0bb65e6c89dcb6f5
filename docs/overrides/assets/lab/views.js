// Every layer of one network, live: its maps in the palettes of the atlas, and marks upon them.

import { colour, gradient, inkOn, limitsOf, paint } from "./colours.js";
import { fixed, make, percent, pixelCanvas, short } from "./dom.js";
import { settings } from "./generated.js";
import { layerName, say } from "./messages.js";
import { indexOf, layerOf, unitAt } from "./network.js";
import { fields } from "./trace.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Layer} Layer
 * @typedef {import("./network.js").Unit} Unit
 * @typedef {import("./forward.js").Run} Run
 * @typedef {import("./colours.js").Palette} Palette
 * @typedef {import("./colours.js").Limits} Limits
 * @typedef {"layer" | "map" | "network"} Scope  what shares a scale
 *
 * @typedef {object} Tile  one map, or all units of a flat layer
 * @property {HTMLElement} element
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} pin    the mark of the value that is asked about
 * @property {HTMLElement} hover  the mark of the value that is pointed at
 *
 * @typedef {object} Views
 * @property {HTMLElement} element
 * @property {(run: Run) => void} paint
 * @property {(trail: Unit[]) => void} pin
 * @property {(unit: Unit | null) => void} point
 * @property {(scope: Scope) => void} scale
 * @property {(layer: string) => HTMLElement | undefined} find
 */

/** @type {Record<string, Palette>} */
const PALETTES = { pixels: "grey", centre: "diverging", conv: "diverging", linear: "diverging", relu: "sequential", pool: "sequential", softmax: "sequential" };

/** Units a row where a flat layer is folded. @type {Record<number, number>} */
const FOLDS = { 10: 10, 84: 28, 120: 30, 512: 64 };

/** @param {Layer} layer */
export const paletteOf = ({ kind }) => PALETTES[kind];

/** The layers that are shown: flattening changes no number. @param {Network} network */
export const shownLayers = ({ layers }) => layers.filter(({ kind }) => kind !== "flatten");

/** @param {Layer} layer */
const isFlat = ({ shape: [, rows, columns] }) => rows * columns === 1;

/**
 * What a value is called: "conv2, channel 3, row 4, column 5".
 *
 * @param {Network} network
 * @param {Unit} unit
 */
export function nameOf(network, { layer, channel, row, column }) {
  const { kind, shape } = layerOf(network, layer);
  const [channels, rows, columns] = shape;
  if (layer === "output" || kind === "softmax") return say(layer === "output" ? "logit of" : "probability of", { name: settings.classNames[channel] });
  if (rows * columns === 1) return say("flat unit", { layer, channel });
  return say(channels === 1 ? "only map unit" : "map unit", { layer: layerName(layer), channel, row, column });
}

/**
 * The same in few letters: "conv2 [3, 4, 5]".
 *
 * @param {Network} network
 * @param {Unit} unit
 */
export function shortName(network, { layer, channel, row, column }) {
  const [channels, height, width] = layerOf(network, layer).shape;
  const numbers = height * width === 1 ? [channel] : channels === 1 ? [row, column] : [channel, row, column];
  return `${layerName(layer)} [${numbers.join(", ")}]`;
}

/**
 * @param {Network} network
 * @param {object} options
 * @param {(unit: Unit) => void} options.pick   pressed, or walked to by keyboard
 * @param {(unit: Unit | null) => void} options.point  the mouse is over it, or has left
 * @param {(layer: string, channel: number) => void} options.toggle
 * @returns {Views}
 */
export function createViews(network, { pick, point, toggle }) {
  /** @type {Scope} */
  let scope = "layer";
  /** @type {Run | undefined} */
  let run;
  /** @type {Unit[]} */
  let trail = [];
  const rows = new Map(shownLayers(network).map((layer) => [layer.name, createRow(layer)]));
  const element = make("div", { class: "lab-layers" }, ...[...rows.values()].map((row) => row.element));

  /** @param {Layer} layer */
  function createRow(layer) {
    const { name, kind, shape: [channels, height, width] } = layer;
    const flat = isFlat(layer);
    const columns = flat ? FOLDS[channels] ?? 32 : width;
    const tiles = Array.from({ length: flat ? 1 : channels }, (_, i) => createTile(columns, flat ? channels / columns : height, flat || channels === 1 ? "" : String(i)));
    const answers = name === "output" || kind === "softmax" ? createAnswers() : null;
    if (answers) tiles[0].canvas.replaceWith(answers);
    const maps = make(
      "div",
      { class: "lab-maps", tabindex: 0, role: "application", "aria-label": say(flat ? "flat layer label" : "layer label", { layer: name, channels, height, width }) },
      ...tiles.map((tile) => tile.element),
    );
    maps.style.setProperty("--side", String(width));
    const [low, bar, high] = [make("span"), make("span", { class: `legend-bar${paletteOf(layer) === "diverging" ? " legend-diverging" : ""}` }), make("span")];
    bar.style.background = gradient(paletteOf(layer));
    const readout = make("span", { class: "lab-readout" });
    const section = make(
      "section",
      { class: `lab-layer lab-${kind}${flat ? " lab-flat" : ""}`, "data-layer": name },
      make("div", { class: "lab-head" }, make("b", {}, layerName(name)), make("span", {}, flat ? String(channels) : `${channels}×${height}×${width}`), readout, make("span", { class: "legend lab-legend" }, low, bar, high)),
      maps,
    );
    listen(maps, layer, tiles, columns);
    return { layer, element: section, maps, tiles, columns, answers, low, high, readout };
  }

  /** Ten cells with their numbers, for there is room to write them. */
  function createAnswers() {
    return make("div", { class: "lab-answers" }, ...settings.classNames.map((name) => make("span", {}, make("b", {}, name), make("span"))));
  }

  /** @param {number} width @param {number} height @param {string} label @returns {Tile} */
  function createTile(width, height, label) {
    const canvas = pixelCanvas(width, height);
    const [pin, hover] = [make("i", { class: "lab-mark lab-pin", hidden: true }), make("i", { class: "lab-mark lab-hover", hidden: true })];
    return { element: make("div", { class: "lab-map", "data-label": label }, canvas, pin, hover), canvas, pin, hover };
  }

  /**
   * Pointer and keyboard: which value is meant.
   *
   * @param {HTMLElement} maps
   * @param {Layer} layer
   * @param {Tile[]} tiles
   * @param {number} columns
   */
  function listen(maps, layer, tiles, columns) {
    const { name, shape: [channels, height, width] } = layer;
    const flat = isFlat(layer);

    /** @param {MouseEvent} event @returns {Unit | null} */
    function unitUnder(event) {
      const channel = tiles.findIndex(({ element: tile }) => event.target instanceof Node && tile.contains(event.target));
      if (channel < 0) return null;
      const box = tiles[channel].element.getBoundingClientRect();
      const [across, down] = flat ? [columns, channels / columns] : [width, height];
      const column = Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * across), 0), across - 1);
      const row = Math.min(Math.max(Math.floor(((event.clientY - box.top) / box.height) * down), 0), down - 1);
      return flat ? unitAt(layer, row * columns + column) : { layer: name, channel, row, column };
    }

    maps.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(unitUnder(event)));
    maps.addEventListener("pointerleave", () => point(null));
    maps.addEventListener("click", (event) => {
      const unit = unitUnder(event);
      if (unit) pick(unit);
    });
    maps.addEventListener("keydown", (event) => {
      const here = trail.at(-1)?.layer === name ? /** @type {Unit} */ (trail.at(-1)) : null;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const go = step(layer, here, event.key, columns);
      if (go) pick(go);
      else if (event.key === "x" && here) toggle(name, here.channel);
      else return;
      event.preventDefault();
    });
  }

  /** @param {Run} next */
  function paintAll(next) {
    run = next;
    const peak = scope === "network" ? Math.max(...[...rows.values()].filter(({ layer }) => layer.kind !== "pixels" && layer.kind !== "softmax").map(({ layer }) => limitsOf(next.values[layer.name], "sequential")[1])) : 0;
    for (const { layer, tiles, answers, low, high } of rows.values()) {
      const values = next.values[layer.name];
      const palette = paletteOf(layer);
      const size = layer.shape[1] * layer.shape[2];
      const fixedScale = layer.kind === "pixels" || layer.kind === "softmax";
      /** @type {Limits} */
      const shared = fixedScale ? [0, 1] : scope === "network" ? [palette === "diverging" ? -peak : 0, peak] : limitsOf(values, palette);
      const own = scope === "map" && tiles.length > 1;
      if (answers) paintAnswers(answers, values, palette, shared, layer.kind === "softmax");
      else tiles.forEach(({ canvas }, i) => paint(canvas, values, palette, own ? limitsOf(values.subarray(i * size, (i + 1) * size), palette) : shared, i * size));
      const off = next.off[layer.name] ?? [];
      tiles.forEach(({ element: tile }, i) => tile.classList.toggle("lab-off", tiles.length > 1 && off.includes(i)));
      low.textContent = own ? (palette === "diverging" ? say("own low") : "0") : short(shared[0]);
      high.textContent = own ? say("own high") : short(shared[1]);
    }
    readOut();
  }

  /**
   * @param {HTMLElement} cells
   * @param {Float32Array} values
   * @param {Palette} palette
   * @param {Limits} limits
   * @param {boolean} shares
   */
  function paintAnswers(cells, values, palette, limits, shares) {
    [...cells.children].forEach((cell, i) => {
      const background = colour(palette, values[i], limits);
      /** @type {HTMLElement} */ (cell).style.cssText = `background:${background};color:${inkOn(background)}`;
      /** @type {HTMLElement} */ (cell.lastChild).textContent = shares ? percent(values[i], 0) : fixed(values[i], 1);
    });
  }

  /**
   * Marks what a value sees in each layer below it.
   *
   * @param {Unit | undefined | null} unit
   * @param {"pin" | "hover"} which
   * @param {Unit[]} above  where the trail came from: one value each
   */
  function mark(unit, which, above = []) {
    for (const { tiles } of rows.values()) for (const tile of tiles) tile[which].hidden = true;
    if (!unit) return;
    for (const one of above) place(one.layer, { channels: [one.channel, one.channel + 1], rows: [one.row, one.row + 1], columns: [one.column, one.column + 1] }, which);
    for (const [layer, box] of Object.entries(fields(network, unit))) place(layer, box, which);
  }

  /**
   * @param {string} name
   * @param {{ channels: number[], rows: number[], columns: number[] }} box
   * @param {"pin" | "hover"} which
   */
  function place(name, { channels: [from, to], rows: [top, bottom], columns: [left, right] }, which) {
    const row = rows.get(name);
    if (!row) return;
    const { layer, tiles, columns } = row;
    const [, height, width] = layer.shape;
    /** @type {(tile: Tile, x: number, y: number, w: number, h: number, across: number, down: number) => void} */
    const put = (tile, x, y, w, h, across, down) => {
      const style = tile[which].style;
      style.left = `${(100 * x) / across}%`;
      style.top = `${(100 * y) / down}%`;
      style.width = `${(100 * w) / across}%`;
      style.height = `${(100 * h) / down}%`;
      tile[which].hidden = false;
    };
    if (isFlat(layer)) {
      const down = layer.shape[0] / columns;
      if (to - from === 1) put(tiles[0], from % columns, Math.floor(from / columns), 1, 1, columns, down);
      else put(tiles[0], 0, 0, 1, 1, 1, 1);
    } else {
      for (let channel = from; channel < to; channel++) put(tiles[channel], left, top, right - left, bottom - top, width, height);
    }
  }

  /** The value that is pointed at, beside its layer's name. @param {Unit | null} [unit] */
  function readOut(unit = pointed) {
    pointed = unit;
    for (const { readout } of rows.values()) readout.textContent = "";
    const row = unit && rows.get(unit.layer);
    if (!row || !run) return;
    const place = isFlat(row.layer) ? String(unit.channel) : `${row.tiles.length > 1 ? `${unit.channel}; ` : ""}${unit.row}, ${unit.column}`;
    row.readout.textContent = `[${place}] ${fixed(run.values[unit.layer][indexOf(row.layer, unit)], 3)}`;
  }
  /** @type {Unit | null} */
  let pointed = null;

  return {
    element,
    paint: paintAll,
    pin(next) {
      trail = next;
      mark(next.at(-1), "pin", next.slice(0, -1));
    },
    point(unit) {
      mark(unit, "hover");
      readOut(unit);
    },
    scale(next) {
      scope = next;
      if (run) paintAll(run);
    },
    find: (layer) => rows.get(layer)?.maps,
  };
}

/**
 * Where a key leads within a layer.
 *
 * @param {Layer} layer
 * @param {Unit | null} unit  where one is; null before the first key
 * @param {string} key
 * @param {number} columns    units a row
 * @returns {Unit | null}
 */
export function step(layer, unit, key, columns) {
  const { name, shape: [channels, height, width] } = layer;
  const flat = height * width === 1;
  /** @type {Record<string, [number, number, number]>} */
  const moves = { ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], PageUp: [-1, 0, 0], PageDown: [1, 0, 0], Enter: [0, 0, 0] };
  const move = moves[key];
  if (!move) return null;
  if (!unit) return flat ? unitAt(layer, 0) : { layer: name, channel: 0, row: Math.floor(height / 2), column: Math.floor(width / 2) };
  const clamp = (/** @type {number} */ value, /** @type {number} */ count) => Math.min(Math.max(value, 0), count - 1);
  if (flat) {
    const index = unit.channel + move[0] + columns * move[1] + move[2];
    return index >= 0 && index < channels ? unitAt(layer, index) : unit;
  }
  return { layer: name, channel: clamp(unit.channel + move[0], channels), row: clamp(unit.row + move[1], height), column: clamp(unit.column + move[2], width) };
}
