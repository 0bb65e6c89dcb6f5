// Making elements, and writing numbers as this site writes them.

/**
 * A new element. Of its attributes, functions listen to the event of that name; true stands for an
 * empty attribute; false and undefined are left out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, /** @type {EventListener} */ (value));
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * A button; `press` is what it does.
 *
 * @param {string} text
 * @param {() => void} press
 * @param {Record<string, unknown>} [attributes]
 */
export function button(text, press, attributes = {}) {
  return make("button", { type: "button", click: press, ...attributes }, text);
}

/**
 * A canvas of so many numbers, one pixel each; CSS gives it its size on the page.
 *
 * @param {number} width
 * @param {number} height
 * @param {Record<string, unknown>} [attributes]
 */
export function pixelCanvas(width, height, attributes = {}) {
  return make("canvas", { width, height, "aria-hidden": "true", ...attributes });
}

/** @param {HTMLCanvasElement} canvas */
export function brush(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * With so many decimals, a real minus sign, and no minus before a zero.
 *
 * @param {number} value
 * @param {number} decimals
 */
export function fixed(value, decimals) {
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/**
 * Three significant digits, for the ends of a scale.
 *
 * @param {number} value
 */
export function short(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/** @param {number} share  from 0 to 1 @param {number} digits */
export function percent(share, digits = 1) {
  return `${(100 * share).toFixed(digits)}%`;
}
