// From what lies on the pad to the 28×28 pixels that the network sees, each step shown.

import { centreImage, centreStrokes, shift as move } from "./centring.js";
import { paint } from "./colours.js";
import { brush, fixed, make, pixelCanvas } from "./dom.js";
import { paintPixels } from "./drawing.js";
import { settings } from "./generated.js";
import { say } from "./messages.js";

/**
 * @typedef {import("./drawing.js").Source} Source
 * @typedef {import("./centring.js").Centred} Centred
 *
 * @typedef {object} Prepared
 * @property {Float32Array} pixels  what the network sees
 * @property {Centred | null} centred  how it came about; nothing where nothing had to be done
 */

const { side, box } = settings;
const FRAME = "#ff6ad5";

/**
 * @param {Source} source
 * @param {[number, number]} shift
 * @returns {Prepared}
 */
export function prepare(source, [dx, dy]) {
  const centred = source.kind === "strokes" ? centreStrokes(source.strokes)
    : source.kind === "image" ? centreImage(source.grey, source.width, source.height)
    : null;
  const pixels = source.kind === "pixels" ? source.pixels : centred?.pixels ?? new Float32Array(side * side);
  return { pixels: dx || dy ? move(pixels, dx, dy) : pixels, centred };
}

export function createSteps() {
  const [first, second, third] = [pixelCanvas(200, 200), pixelCanvas(box, box), pixelCanvas(196, 196)];
  const [captionOne, captionTwo, captionThree] = [make("figcaption"), make("figcaption"), make("figcaption")];
  const note = make("p", { class: "lab-note" });
  const steps = make(
    "div",
    { class: "lab-steps" },
    make("figure", {}, first, captionOne),
    make("figure", {}, second, captionTwo),
    make("figure", {}, third, captionThree),
  );
  const element = make("div", {}, steps, note);

  /**
   * @param {Source} source
   * @param {Prepared} prepared
   * @param {[number, number]} shift
   */
  function show(source, { pixels, centred }, [dx, dy]) {
    steps.hidden = !centred;
    note.textContent = [
      source.kind === "nothing" ? say("nothing drawn") : centred ? "" : say("already centred"),
      source.kind === "image" && source.inverted ? say("was inverted") : "",
      dx || dy ? say("shifted by", { dx: fixed(dx, 0), dy: fixed(dy, 0) }) : "",
    ].filter(Boolean).join(" ");
    if (!centred) return;
    const { left, top, right, bottom } = centred.bounds;
    drawSource(source, centred.bounds);
    paint(second, centred.box, "grey", [0, 1]);
    const at = brush(third);
    paintPixels(at, pixels, side, side);
    at.strokeStyle = FRAME;
    at.lineWidth = 2;
    at.strokeRect((centred.corner.x + dx) * 7, (centred.corner.y + dy) * 7, box * 7, box * 7);
    at.beginPath(); // the middle, where the centre of mass now lies
    at.moveTo(98, 88), at.lineTo(98, 108), at.moveTo(88, 98), at.lineTo(108, 98);
    at.stroke();
    captionOne.textContent = say("step ink", { width: fixed(right - left, source.kind === "image" ? 0 : 1), height: fixed(bottom - top, source.kind === "image" ? 0 : 1) });
    captionTwo.textContent = say("step box", { times: fixed(centred.scale, 2) });
    captionThree.textContent = say("step centre", { x: centred.corner.x, y: centred.corner.y });
  }

  /** @param {Source} source @param {Centred["bounds"]} bounds */
  function drawSource(source, { left, top, right, bottom }) {
    const at = brush(first);
    at.fillStyle = "#000";
    at.fillRect(0, 0, 200, 200);
    let scale = 200 / side, x = 0, y = 0;
    if (source.kind === "image") {
      paintPixels(at, source.grey, source.width, source.height);
      scale = Math.min(200 / source.width, 200 / source.height);
      [x, y] = [(200 - source.width * scale) / 2, (200 - source.height * scale) / 2];
    } else if (source.kind === "strokes") {
      at.strokeStyle = "#fff";
      at.lineWidth = 2 * settings.pen * scale;
      at.lineCap = at.lineJoin = "round";
      for (const stroke of source.strokes) {
        at.beginPath();
        for (const point of [stroke[0], ...stroke]) at.lineTo(point[0] * scale, point[1] * scale);
        at.stroke();
      }
    }
    at.strokeStyle = FRAME;
    at.lineWidth = 2;
    at.strokeRect(x + left * scale, y + top * scale, (right - left) * scale, (bottom - top) * scale);
  }

  return { element, show };
}
