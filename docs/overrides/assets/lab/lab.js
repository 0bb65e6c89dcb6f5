// The page's entry: holds the state, and hands what changes to the parts that show it.
//
//   source, shift ──prepare──► pixels ──forward──► run ──► answer, layers, ask, why, address
//                                        ▲
//                              weights, off (what the reader changed)

import { createAnswer, verdict } from "./answer.js";
import { createAsk } from "./ask.js";
import { createSnapshots, edit, take } from "./change.js";
import { catchPictures, createCopyLink, createLegends, createPictureButton, createScale, createShifts } from "./controls.js";
import { button, fixed, make } from "./dom.js";
import { createPad } from "./drawing.js";
import { forward, largest } from "./forward.js";
import { isShared, read, write } from "./link.js";
import { say } from "./messages.js";
import { indexOf, layerOf, load, unitAt } from "./network.js";
import { readPicture } from "./picture.js";
import { createSteps, prepare } from "./preparation.js";
import { createSamples } from "./samples.js";
import { createViews, nameOf } from "./views.js";
import { createWhy } from "./why.js";

export * from "./engine.js";

/**
 * @typedef {import("./network.js").Unit} Unit
 * @typedef {import("./drawing.js").Source} Source
 * @typedef {import("./link.js").Shared} Shared
 */

const START = "lenet";

/** There is a column for the arithmetic; lab.css has the same width. */
const roomy = window.matchMedia("(min-width: 76.25em)");

/** @param {HTMLElement} root */
async function start(root) {
  let weights = await take(START);

  // ---------- State ----------

  /** @type {Source} */
  let source = { kind: "nothing" };
  /** @type {[number, number]} */
  let shift = [0, 0];
  /** @type {{ source: Source, shift: [number, number] }[]} */
  const past = [];
  /** @type {Record<string, number[]>} */
  let off = {};
  /** @type {import("./network.js").Network | null} */
  let mlp = null; // beside it, on request
  /** @type {{ model: string, trail: Unit[] }} */
  let asked = { model: START, trail: [] };
  let ready = false; // what happens from now on is the reader's doing
  let pinned = false; // the value that is asked about was pressed; else it is what the mouse is over

  let prepared = prepare(source, shift);
  let run = forward(weights.network, prepared.pixels, off);
  /** @type {import("./forward.js").Run | null} */
  let mlpRun = null;

  // ---------- Parts ----------

  const status = make("p", { class: "lab-status", role: "status", "aria-live": "polite" });
  let announcing = 0;
  /** Says something to those who listen, once the hand rests. @param {string} text @param {number} [wait] */
  function announce(text, wait = 300) {
    clearTimeout(announcing);
    announcing = window.setTimeout(() => (status.textContent = text), wait);
  }

  const pad = createPad({ begin: remember, change: (next) => put(next, [0, 0], true), undo, clear, announce });
  const steps = createSteps();
  const answer = createAnswer(START);
  const mlpAnswer = createAnswer("mlp");
  mlpAnswer.element.hidden = true;
  const samples = createSamples(JSON.parse(root.dataset.samples ?? "[]"), (pixels, message) => {
    if (ready) remember();
    put({ kind: "pixels", pixels }, [0, 0]);
    if (ready) announce(`${message} ${verdict(run)}`);
  }, (error) => message(say("sample failed", { error: String(error) })));
  const handlers = (/** @type {string} */ model) => ({
    pick: (/** @type {Unit} */ unit) => go([unit], model),
    point: (/** @type {Unit | null} */ unit) => point(unit, model),
    toggle: model === START ? toggle : () => {}, // the MLP stays as it is
  });
  const views = createViews(weights.network, handlers(START));
  /** @type {import("./views.js").Views | null} */
  let mlpViews = null;
  const mlpBox = make("div", { class: "lab-beside", hidden: true });
  const ask = createAsk({ go, close, edit: change, toggle, reset, mayChange: ({ model }) => model === START });
  const why = createWhy({ go: goFromBelow, toggle, open: () => {
    why.show(run);
    save();
  } });
  const snapshots = createSnapshots(useWeights);
  const changed = make("p", { class: "lab-changed", hidden: true });
  const changedText = make("span");
  changed.append(changedText, " ", button(say("reset"), reset));

  // ---------- What happens ----------

  /** Keeps what lies on the pad, to come back to. @param {Source} [what] */
  function remember(what = source) {
    past.push({ source: what, shift });
    if (past.length > 200) past.shift();
  }

  /** @param {Source} next @param {[number, number]} nextShift @param {boolean} [byHand] */
  function put(next, nextShift, byHand = false) {
    source = next;
    shift = nextShift;
    if (!byHand) pad.show(source);
    if (source.kind !== "pixels") samples.forget();
    think();
    if (byHand) announce(verdict(run), 800);
  }

  function undo() {
    const last = past.pop();
    if (last) put(last.source, last.shift);
    samples.forget();
    announce(say("undone", { verdict: verdict(run) }));
  }

  function clear() {
    remember();
    put({ kind: "nothing" }, [0, 0]);
    announce(say("nothing drawn"));
  }

  /** @param {number} dx @param {number} dy */
  function shiftBy(dx, dy) {
    remember();
    const [x, y] = dx || dy ? [shift[0] + dx, shift[1] + dy] : [0, 0];
    put(source, [Math.min(Math.max(x, -28), 28), Math.min(Math.max(y, -28), 28)]);
    announce(`${say("shifted by", { dx: fixed(shift[0], 0), dy: fixed(shift[1], 0) })} ${verdict(run)}`);
  }

  /** @param {Blob} file */
  async function openPicture(file) {
    try {
      const picture = await readPicture(file);
      remember();
      put({ kind: "image", ...picture }, [0, 0]);
      announce(prepared.centred ? `${say("picture loaded", { width: picture.width, height: picture.height })} ${verdict(run)}` : say("picture empty"));
      if (!prepared.centred) message(say("picture empty"));
    } catch {
      message(say("picture failed"));
    }
  }

  /** Says something to everybody. @param {string} text */
  function message(text) {
    note.textContent = text;
    announce(text, 0);
  }

  /** @param {Unit[]} trail @param {string} [model] */
  function go(trail, model = asked.model) {
    pinned = true;
    asked = { model, trail };
    showAsked();
    save();
    if (trail.length > 1 || !roomy.matches) uncover();
    const last = trail.at(-1);
    const which = last && runOf(model);
    if (which && last) announce(say("unit value", { unit: nameOf(which.network, last), value: fixed(which.values[last.layer][indexOf(layerOf(which.network, last.layer), last)], 3) }));
  }

  /** From the foot of the lab, whence the arithmetic may be out of sight. @param {Unit[]} trail */
  function goFromBelow(trail) {
    go(trail, START);
    if (roomy.matches) ask.element.scrollIntoView({ block: "nearest" });
    ask.focus();
  }

  /** Brings the layer that is asked about into sight: below the header, and not under the sheet of a narrow screen. */
  function uncover() {
    const maps = (asked.model === START ? views : mlpViews)?.find(asked.trail.at(-1)?.layer ?? "");
    if (!maps) return;
    const { top, bottom } = maps.getBoundingClientRect();
    const [from, to] = [80, roomy.matches ? window.innerHeight : ask.element.getBoundingClientRect().top];
    if (bottom > to) window.scrollBy(0, bottom + 8 - to);
    else if (top < from) window.scrollBy(0, top - from);
  }

  function close() {
    const was = asked;
    pinned = false;
    asked = { model: START, trail: [] };
    showAsked();
    save();
    const layer = was.trail[0]?.layer;
    (was.model === START ? views : mlpViews)?.find(layer)?.focus({ preventScroll: true });
  }

  /** @param {Unit | null} unit @param {string} model */
  function point(unit, model) {
    (model === START ? views : mlpViews)?.point(unit);
    if (pinned || !unit || !roomy.matches) return; // a sheet must not rise where the mouse is
    asked = { model, trail: [unit] };
    showAsked();
  }

  /** @param {string} layer @param {number} channel */
  function toggle(layer, channel) {
    const now = off[layer] ?? [];
    const isOff = now.includes(channel);
    off = { ...off, [layer]: isOff ? now.filter((one) => one !== channel) : [...now, channel] };
    think();
    announce(say(isOff ? "switched on" : "switched off", { layer, channel, verdict: verdict(run) }));
  }

  /** @param {string} key @param {number} index @param {number} value */
  function change(key, index, value) {
    edit(weights, key, index, value);
    think();
    announce(verdict(run), 800);
  }

  async function reset() {
    off = {};
    await useWeights(START);
    announce(say("was reset", { verdict: verdict(run) }));
  }

  let asking = "";
  /** @param {string} name */
  async function useWeights(name) {
    asking = name;
    try {
      const taken = await take(name);
      if (asking !== name) return; // the reader has moved on
      weights = taken;
      ask.renew();
      think();
      announce(verdict(run), 800);
    } catch (error) {
      message(say("load failed", { error: String(error) }));
    }
    snapshots.show(weights.name);
  }

  /** @param {boolean} on */
  async function showMlp(on) {
    if (on && !mlp) {
      message(say("loading mlp"));
      try {
        mlp = await load("mlp");
        message("");
      } catch (error) {
        message(say("load failed", { error: String(error) }));
        mlpChoice.checked = false;
        return;
      }
      mlpViews = createViews(mlp, handlers("mlp"));
      mlpViews.scale(scale.scope());
      mlpBox.append(make("h2", {}, say("layers title", { model: say("model mlp") })), mlpViews.element);
    }
    mlpChoice.checked = on;
    mlpBox.hidden = mlpAnswer.element.hidden = !on;
    if (!on && asked.model === "mlp") close();
    think();
  }

  // ---------- What is shown ----------

  /** @param {string} model */
  const runOf = (model) => (model === START ? run : mlpRun);

  function think() {
    prepared = prepare(source, shift);
    run = forward(weights.network, prepared.pixels, off);
    mlpRun = mlp && mlpChoice.checked ? forward(mlp, prepared.pixels) : null;
    steps.show(source, prepared, shift);
    answer.show(run);
    views.paint(run);
    if (mlpRun) mlpAnswer.show(mlpRun);
    if (mlpRun) mlpViews?.paint(mlpRun);
    why.show(run);
    const switched = Object.values(off).flat().length;
    changed.hidden = !switched && !weights.edits.size;
    changedText.textContent = say("changed mark", { edits: weights.edits.size, off: switched });
    undoButton.disabled = !past.length;
    showAsked();
    save();
  }

  function showAsked() {
    const which = runOf(asked.model);
    views.pin(asked.model === START ? asked.trail : []);
    mlpViews?.pin(asked.model === START ? [] : asked.trail);
    if (which) ask.show(which, asked.trail);
  }

  let saving = 0;
  /** Puts the state into the address, and into the link to the other language. */
  function save() {
    if (!ready) return; // an address that leads to a heading stays as it is
    clearTimeout(saving);
    saving = window.setTimeout(() => {
      const text = `#${write({
        pixels: prepare(source, [0, 0]).pixels, shift, model: asked.model, unit: pinned ? asked.trail.at(-1) : undefined,
        weights: weights.name, off, edits: [...weights.edits.values()], beside: mlpChoice.checked, why: why.element.open,
      })}`;
      history.replaceState(null, "", text);
      for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a.cv-language"))) link.hash = text;
    }, 400);
  }

  /** @param {Shared} shared */
  async function restore({ pixels, shift: moved = pixels ? [0, 0] : shift, model = START, unit, weights: name = START, off: switched = {}, edits = [], beside, why: open }) {
    shift = moved;
    if (pixels) {
      source = { kind: "pixels", pixels };
      pad.show(source);
      samples.forget();
    }
    if (name !== weights.name) await useWeights(name);
    off = {};
    for (const [layer, channels] of Object.entries(switched)) {
      const count = weights.network.layers.find((one) => one.name === layer && one.kind !== "pixels")?.shape[0] ?? 0;
      const valid = channels.filter((channel) => channel < count);
      if (valid.length) off[layer] = valid;
    }
    for (const [key, index, value] of edits) if (index < (weights.network.weights[key]?.length ?? 0)) edit(weights, key, index, value);
    if (beside || model === "mlp") await showMlp(true);
    if (open) why.element.open = true;
    think();
    const network = model === "mlp" ? mlp : weights.network;
    const shape = network?.layers.find(({ name: layer, kind }) => layer === unit?.layer && kind !== "flatten")?.shape;
    if (unit && shape && unit.channel < shape[0] && unit.row < shape[1] && unit.column < shape[2]) go([unit], model);
  }

  // ---------- The page ----------

  const undoButton = button(say("undo"), undo);
  const note = make("p", { class: "lab-note" });
  const pictures = createPictureButton(openPicture);
  const scale = createScale((scope) => {
    for (const one of [views, mlpViews]) one?.scale(scope);
  });
  const mlpChoice = make("input", { type: "checkbox", change: () => showMlp(mlpChoice.checked) });

  const columns = make(
    "div",
    { class: "lab-columns" },
    make("div", { class: "lab-input" },
      pad.element,
      make("div", { class: "lab-buttons" }, undoButton, button(say("clear"), clear), ...pictures),
      note,
      make("section", { class: "lab-preparation", "aria-label": say("preparation title") }, make("h2", {}, say("preparation title")), steps.element),
      make("div", { class: "lab-results" }, answer.element, mlpAnswer.element),
      samples.element,
      createShifts(shiftBy),
      make("p", { class: "lab-note" }, say("drop hint")),
    ),
    make("div", { class: "lab-network" },
      make("h2", {}, say("layers title", { model: say("model lenet") })),
      make("p", { class: "lab-note" }, say("layers hint")),
      make("div", { class: "lab-controls" },
        scale.element,
        make("label", { class: "lab-choice" }, mlpChoice, " ", say("show mlp")),
        createCopyLink(message),
      ),
      make("div", { class: "lab-controls", role: "group", "aria-label": say("weights title") },
        snapshots.element,
        button(say("random weights"), () => useWeights(`random-${1 + Math.floor(Math.random() * 1e6)}`)),
      ),
      changed,
      createLegends(),
      views.element,
      mlpBox,
    ),
    ask.element,
  );
  root.replaceChildren(columns, why.element, status);

  // ---------- Pictures that are dropped or pasted, links, the escape key ----------

  catchPictures(pad.element, openPicture);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && asked.trail.length) close();
  });
  window.addEventListener("hashchange", () => isShared(location.hash) && restore(read(location.hash)));
  for (const show of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-show]"))) {
    show.hidden = false;
    show.addEventListener("click", async () => {
      const shared = read(show.dataset.show ?? "");
      remember();
      root.scrollIntoView();
      await restore(shared);
      if (shared.why) why.element.scrollIntoView();
      else if (shared.unit) uncover();
      announce(verdict(run));
    });
  }

  snapshots.show(weights.name);
  if (isShared(location.hash)) await restore(read(location.hash));
  else samples.loadFirst();
  if (roomy.matches && !asked.trail.length) point(unitAt(layerOf(run.network, "conv1"), largest(run.values.conv1)), START); // to begin with
  ready = true;
  if (isShared(location.hash)) save();
  root.classList.add("lab-ready");
}

const root = document.getElementById("lab-app");
if (root) {
  start(root).catch((error) => {
    root.closest(".lab-live")?.classList.remove("lab-starting"); // the worked example below shows again
    root.replaceChildren(make("p", { role: "alert" }, say("did not start", { error: String(error) })));
  });
}
