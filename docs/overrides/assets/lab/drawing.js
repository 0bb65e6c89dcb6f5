// The pad: strokes by mouse, finger, pen or keyboard, in units of the 28×28 grid.

import { brush, make } from "./dom.js";
import { paint } from "./colours.js";
import { settings } from "./generated.js";
import { say } from "./messages.js";

/**
 * @typedef {[x: number, y: number][]} Stroke
 *
 * @typedef {{ kind: "nothing" }
 *   | { kind: "strokes", strokes: Stroke[] }
 *   | { kind: "image", grey: Float32Array, width: number, height: number, inverted: boolean }
 *   | { kind: "pixels", pixels: Float32Array }} Source  what lies on the pad
 *
 * @typedef {object} Pad
 * @property {HTMLElement} element
 * @property {(source: Source) => void} show
 */

const { side, pen, edge } = settings;
const FINE = 20; // pixels of the canvas for each of the grid

/**
 * @param {object} options
 * @param {(source: Source) => void} options.begin   a stroke begins: what lay there before may be wanted back
 * @param {(source: Source) => void} options.change  called with every new point
 * @param {() => void} options.undo
 * @param {() => void} options.clear
 * @param {(message: string) => void} options.announce
 * @returns {Pad}
 */
export function createPad({ begin, change, undo, clear, announce }) {
  const canvas = make("canvas", { width: side * FINE, height: side * FINE, "aria-hidden": "true" });
  const hint = make("span", { class: "lab-pad-hint", "aria-hidden": "true" }, say("draw here"));
  const element = make("div", { class: "lab-pad", tabindex: 0, role: "application", "aria-label": say("pad label") }, canvas, hint);
  /** @type {Source} */
  let source = { kind: "nothing" };
  /** @type {Stroke | null} */
  let stroke = null;
  const cursor = { x: side / 2, y: side / 2, down: false, shown: false };

  /** @param {[number, number]} point */
  function start(point) {
    begin(source);
    stroke = [point];
    const before = source.kind === "strokes" ? source.strokes : []; // a picture gives way to a drawing
    source = { kind: "strokes", strokes: [...before, stroke] };
    grown();
  }

  /** @param {[number, number]} point */
  function extend(point) {
    const [x, y] = stroke?.at(-1) ?? [NaN, NaN];
    if (!stroke || Math.hypot(point[0] - x, point[1] - y) < 0.1) return; // the hand rests
    stroke.push(point);
    grown();
  }

  function grown() {
    draw();
    change(source);
  }

  function draw() {
    const at = brush(canvas);
    at.fillStyle = "#000";
    at.fillRect(0, 0, canvas.width, canvas.height);
    at.imageSmoothingEnabled = false;
    if (source.kind === "pixels") paintPixels(at, source.pixels, side, side);
    if (source.kind === "image") paintPixels(at, source.grey, source.width, source.height);
    at.strokeStyle = "#ffffff26";
    at.lineWidth = 1;
    at.beginPath();
    for (let i = 1; i < side; i++) {
      at.moveTo(i * FINE, 0);
      at.lineTo(i * FINE, canvas.height);
      at.moveTo(0, i * FINE);
      at.lineTo(canvas.width, i * FINE);
    }
    at.stroke();
    at.strokeStyle = "#fff";
    at.lineWidth = (2 * pen + edge / 2) * FINE;
    at.lineCap = at.lineJoin = "round";
    for (const points of source.kind === "strokes" ? source.strokes : []) {
      at.beginPath();
      points.forEach(([x, y], i) => (i ? at.lineTo(x * FINE, y * FINE) : at.moveTo(x * FINE, y * FINE)));
      if (points.length === 1) at.lineTo(points[0][0] * FINE, points[0][1] * FINE);
      at.stroke();
    }
    if (cursor.shown) {
      at.lineWidth = 4;
      at.strokeStyle = cursor.down ? "#ff6ad5" : "#5cc7bd";
      at.strokeRect(Math.floor(cursor.x) * FINE, Math.floor(cursor.y) * FINE, FINE, FINE);
    }
    hint.hidden = source.kind !== "nothing";
  }

  // Pointer: mouse, finger and pen alike.
  /** @param {PointerEvent} event @returns {[number, number]} */
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side];
  };
  element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    Object.assign(cursor, { down: false, shown: false });
    start(placeOf(event));
  });
  element.addEventListener("pointermove", (event) => {
    if (!stroke || cursor.down || !event.isPrimary) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) extend(placeOf(step));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(end, () => {
      if (!cursor.down) stroke = null;
    });
  }

  // Keyboard: the cursor keys walk over the grid, the space bar lowers and lifts the pen.
  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "z" && !event.altKey) undo(), event.preventDefault();
      return;
    }
    const way = ways[event.key];
    if (way) {
      const steps = event.shiftKey ? 4 : 1;
      cursor.x = Math.min(Math.max(cursor.x + steps * way[0], 0.5), side - 0.5);
      cursor.y = Math.min(Math.max(cursor.y + steps * way[1], 0.5), side - 0.5);
      if (cursor.down) extend([cursor.x, cursor.y]);
    } else if (event.key === " ") {
      cursor.down = !cursor.down;
      if (cursor.down) start([cursor.x, cursor.y]);
      else stroke = null;
    } else if (event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      return event.key === "Delete" ? clear() : undo();
    } else return;
    event.preventDefault();
    cursor.shown = true;
    draw();
    announce(say(cursor.down ? "cursor down" : "cursor up", { row: Math.floor(cursor.y), column: Math.floor(cursor.x) }));
  });
  cursor.x = Math.floor(cursor.x) + 0.5;
  cursor.y = Math.floor(cursor.y) + 0.5;
  element.addEventListener("focus", () => {
    cursor.shown = element.matches(":focus-visible");
    draw();
  });
  element.addEventListener("blur", () => {
    Object.assign(cursor, { down: false, shown: false });
    stroke = null;
    draw();
  });

  draw();
  return {
    element,
    show(next) {
      source = next;
      stroke = null;
      cursor.down = false;
      draw();
    },
  };
}

/**
 * Grey pixels, as large as fits, in the middle.
 *
 * @param {CanvasRenderingContext2D} at
 * @param {Float32Array} grey
 * @param {number} width
 * @param {number} height
 */
export function paintPixels(at, grey, width, height) {
  const small = make("canvas", { width, height });
  paint(small, grey, "grey", [0, 1]);
  const scale = Math.min(at.canvas.width / width, at.canvas.height / height);
  const [x, y] = [(at.canvas.width - width * scale) / 2, (at.canvas.height - height * scale) / 2];
  at.drawImage(small, x, y, width * scale, height * scale);
}
