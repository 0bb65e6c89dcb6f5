// The smaller parts of the page: buttons and fields that say what they were told and no more.

import { gradient } from "./colours.js";
import { button, make } from "./dom.js";
import { say } from "./messages.js";

/**
 * A button that asks for a picture file, with the field behind it.
 *
 * @param {(file: Blob) => void} open
 */
export function createPictureButton(open) {
  const file = make("input", { type: "file", accept: "image/*", hidden: true });
  file.addEventListener("change", () => {
    if (file.files?.[0]) open(file.files[0]);
    file.value = ""; // so that the same file may be chosen again
  });
  return [button(say("choose picture"), () => file.click()), file];
}

/**
 * Pictures that are dropped onto an element, or pasted anywhere.
 *
 * @param {HTMLElement} element
 * @param {(file: Blob) => void} open
 */
export function catchPictures(element, open) {
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("lab-drop");
  });
  element.addEventListener("dragleave", () => element.classList.remove("lab-drop"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("lab-drop");
    const dropped = event.dataTransfer?.files[0];
    if (dropped) open(dropped);
  });
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (pasted) open(pasted);
  });
}

/** @param {(dx: number, dy: number) => void} shiftBy  by nothing: back to its place */
export function createShifts(shiftBy) {
  /** @type {[sign: string, way: string, dx: number, dy: number][]} */
  const ways = [["←", "left", -1, 0], ["↑", "up", 0, -1], ["↓", "down", 0, 1], ["→", "right", 1, 0], [say("shift back sign"), "back", 0, 0]];
  return make(
    "div",
    { class: "lab-shifts", role: "group", "aria-label": say("shift") },
    make("span", { "aria-hidden": "true" }, say("shift")),
    ...ways.map(([sign, way, dx, dy]) => button(sign, () => shiftBy(dx, dy), { "aria-label": say(`shift ${way}`), title: say(`shift ${way}`) })),
  );
}

/** @typedef {import("./views.js").Scope} Scope */

/** @param {(scope: Scope) => void} choose */
export function createScale(choose) {
  const select = make("select", {}, ...["layer", "map", "network"].map((value) => make("option", { value }, say(`scale ${value}`))));
  const scope = () => /** @type {Scope} */ (select.value);
  select.addEventListener("change", () => choose(scope()));
  return { element: make("label", {}, say("scale title"), " ", select), scope };
}

/** What the colours of the layers mean. */
export function createLegends() {
  const legend = (/** @type {"diverging" | "sequential"} */ palette, /** @type {string} */ text) => {
    const bar = make("span", { class: `legend-bar legend-${palette}` });
    bar.style.background = gradient(palette);
    return make("span", { class: "legend" }, bar, make("span", {}, text));
  };
  return make("div", { class: "lab-legends" }, legend("diverging", say("legend signed")), legend("sequential", say("legend bright")));
}

/** @param {(text: string) => void} message */
export function createCopyLink(message) {
  return button(say("copy link"), async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      message(say("link copied"));
    } catch {
      message(say("link shown")); // a page from disk has no clipboard
    }
  });
}
