// From a drawing or a picture to an image as the network knows them: the ink fits a box of 20×20
// pixels, whose centre of mass is put in the middle of 28×28. MNIST was made so (LeCun, Bottou, Bengio
// and Haffner 1998, section III.A), and so are the made digits: these functions are those of the same
// names in cnnviz.data.digits.

import { settings } from "./generated.js";

/** @typedef {[number, number]} Point  x to the right, y down */

/**
 * @typedef {object} Centred
 * @property {Float32Array} pixels  28×28, from 0 to 1 in steps of 1/255
 * @property {Float32Array} box     the 20×20 that the ink fills
 * @property {{ x: number, y: number }} corner  where the box lies in the image
 * @property {{ left: number, top: number, right: number, bottom: number }} bounds  of the ink as it was given
 * @property {number} scale         pixels of the image for each unit of what was given
 */

/**
 * A drawing, inked with a pen of the made digits whatever its size.
 *
 * @param {Point[][]} strokes  in any unit
 * @param {number} [pen]       half the width of its line in pixels of the image
 * @param {number} [edge]      width of its soft edge
 * @returns {Centred | null}   nothing if nothing was drawn
 */
export function centreStrokes(strokes, pen = settings.pen, edge = settings.edge) {
  const points = strokes.flat();
  if (!points.length) return null;
  const bounds = boundsOf(points);
  const { scale, place } = fitBox(bounds, pen);
  const placed = strokes.map((stroke) => stroke.map(place));
  const box = ink(placed.flatMap(dense), pen, edge);
  return { ...inImage(box), bounds, scale };
}

/**
 * A picture of white ink on black, cut to its ink and reduced by area.
 *
 * @param {ArrayLike<number>} grey  from 0 to 1, row after row
 * @param {number} width
 * @param {number} height
 * @returns {Centred | null}  nothing if all is black
 */
export function centreImage(grey, width, height) {
  /** @type {Point[]} */
  const corners = [];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (grey[i++] > 0) corners.push([x, y], [x + 1, y + 1]);
  }
  if (!corners.length) return null;
  const bounds = boundsOf(corners);
  const { scale, place } = fitBox(bounds, 0);
  return { ...inImage(reduce(grey, width, height, place([0, 0]), scale)), bounds, scale };
}

/** @param {Point[]} points */
function boundsOf(points) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y);
  }
  return bounds;
}

/**
 * How to scale and move points so that the ink just fits the box, about in its middle, aspect kept.
 *
 * @param {{ left: number, top: number, right: number, bottom: number }} bounds
 * @param {number} pen
 */
export function fitBox({ left, top, right, bottom }, pen) {
  const longest = Math.max(right - left, bottom - top);
  const scale = longest > 0 ? (settings.box - 2 * pen) / longest : 1; // a dot stays a dot
  const spare = (/** @type {number} */ size) => Math.floor((settings.box - size * scale) / 2 - pen + 0.01);
  const [x0, y0] = [pen + spare(right - left), pen + spare(bottom - top)];
  /** @type {(point: Point) => Point} */
  const place = ([x, y]) => [(x - left) * scale + x0, (y - top) * scale + y0];
  return { scale, place };
}

/**
 * The same line with points no more than half a pixel apart.
 *
 * @param {Point[]} stroke
 * @returns {Point[]}
 */
function dense(stroke) {
  return stroke.flatMap(([x, y], i) => {
    const [nextX, nextY] = stroke[i + 1] ?? [x, y];
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(nextX - x, nextY - y)));
    return Array.from({ length: steps }, (_, j) => /** @type {Point} */ ([x + ((nextX - x) * j) / steps, y + ((nextY - y) * j) / steps]));
  });
}

/**
 * Ink in each pixel of the box, from 0 to 1: full inside the line, none outside, with a soft edge.
 *
 * @param {Point[]} points
 * @param {number} pen
 * @param {number} edge
 */
export function ink(points, pen, edge) {
  const side = settings.box;
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) + 0.5, Math.floor(i / side) + 0.5];
    let nearest = Infinity;
    for (const point of points) nearest = Math.min(nearest, (point[0] - x) ** 2 + (point[1] - y) ** 2);
    const share = Math.min(Math.max(0.5 - (Math.sqrt(nearest) - pen) / edge, 0), 1);
    return share * share * (3 - 2 * share); // as in scans: more black and white, less grey
  });
}

/**
 * The picture in the box: each pixel is the mean of what lies under it.
 *
 * @param {ArrayLike<number>} grey
 * @param {number} width
 * @param {number} height
 * @param {Point} origin  where the picture's corner lies in the box
 * @param {number} scale
 */
function reduce(grey, width, height, [x0, y0], scale) {
  const across = overlaps(width, x0, scale);
  const down = overlaps(height, y0, scale);
  const box = new Float32Array(settings.box ** 2);
  down.forEach((rows, y) => {
    across.forEach((columns, x) => {
      let sum = 0;
      for (const [row, high] of rows) for (const [column, wide] of columns) sum += high * wide * grey[row * width + column];
      box[y * settings.box + x] = sum;
    });
  });
  const brightest = Math.max(...box);
  return box.map((value) => value / brightest); // thin lines grow faint when reduced
}

/**
 * For each pixel of the box along one direction: which pixels of the picture lie under it, each with
 * the share that it covers.
 *
 * @param {number} size
 * @param {number} origin
 * @param {number} scale
 */
function overlaps(size, origin, scale) {
  return Array.from({ length: settings.box }, (_, i) => {
    const [from, to] = [(i - origin) / scale, (i + 1 - origin) / scale];
    /** @type {Point[]} */
    const shares = [];
    for (let j = Math.max(0, Math.floor(from)); j < Math.min(size, to); j++) {
      const share = (Math.min(j + 1, to) - Math.max(j, from)) * scale;
      if (share > 1e-9) shares.push([j, share]);
    }
    return shares;
  });
}

/** @param {Float32Array} box */
function inImage(box) {
  const corner = centring(box);
  const pixels = new Float32Array(settings.side ** 2);
  box.forEach((value, i) => {
    const [x, y] = [corner.x + (i % settings.box), corner.y + Math.floor(i / settings.box)];
    pixels[y * settings.side + x] = roundHalfToEven(255 * value) / 255;
  });
  return { pixels, box, corner };
}

/**
 * Where the box goes in the image so that the centre of mass is in the middle.
 *
 * @param {Float32Array} box
 */
export function centring(box) {
  let mass = 0, x = 0, y = 0;
  box.forEach((value, i) => {
    mass += value;
    x += value * (i % settings.box);
    y += value * Math.floor(i / settings.box);
  });
  const place = (/** @type {number} */ moment) =>
    Math.min(Math.max(roundHalfToEven(settings.side / 2 - moment / mass), 0), settings.side - settings.box);
  return { x: place(x), y: place(y) };
}

/** As numpy rounds. @param {number} number */
function roundHalfToEven(number) {
  const rounded = Math.round(number);
  return rounded - number === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/**
 * The image moved by whole pixels; black comes in.
 *
 * @param {ArrayLike<number>} pixels
 * @param {number} dx
 * @param {number} dy
 */
export function shift(pixels, dx, dy) {
  const { side } = settings;
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) - dx, Math.floor(i / side) - dy];
    return x >= 0 && x < side && y >= 0 && y < side ? pixels[y * side + x] : 0;
  });
}
