// What a network answers: the class, and a bar for each of the ten.

import { make, percent } from "./dom.js";
import { settings } from "./generated.js";
import { say } from "./messages.js";

/**
 * @typedef {import("./forward.js").Run} Run
 */

/** @param {string} model */
export function createAnswer(model) {
  const name = say(`model ${model}`);
  const best = make("b", { class: "lab-best" });
  const sure = make("span");
  const bars = settings.classNames.map((label) => {
    const [bar, share] = [make("i"), make("span")];
    return { row: make("li", {}, make("b", {}, label), make("span", { class: "lab-bar" }, bar), share), bar, share };
  });
  const element = make(
    "div",
    { class: "lab-answer", role: "group", "aria-label": say("answer", { model: name }) },
    make("div", { class: "lab-verdict" }, make("span", { class: "lab-title" }, name), best, sure),
    make("ol", { class: "lab-bars" }, ...bars.map(({ row }) => row)),
  );

  /** @param {Run} run */
  function show({ values, prediction }) {
    best.textContent = settings.classNames[prediction];
    sure.textContent = percent(values.probabilities[prediction]);
    bars.forEach(({ row, bar, share }, i) => {
      bar.style.width = `${100 * values.probabilities[i]}%`;
      share.textContent = percent(values.probabilities[i]);
      row.classList.toggle("lab-first", i === prediction);
    });
  }

  return { element, show };
}

/** "7, 99.1%" in words, for those who listen. @param {Run} run */
export function verdict({ values, prediction, network }) {
  return say("verdict", { model: say(`model ${network.model}`), name: settings.classNames[prediction], share: percent(values.probabilities[prediction]) });
}
