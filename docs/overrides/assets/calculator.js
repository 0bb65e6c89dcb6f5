// The calculator of the chapter on shapes: what nn.Conv2d makes of an input, and what it costs.
// The page holds the form and all words, in its own language, and is complete without this file: the
// form stays hidden then, and a table of worked settings stands below it.

/**
 * Side of the output, parameters and multiplications of a convolution with bias on a square input.
 * `reason` is the name of the message that says why there is none.
 */
export function convolution({ size, inputs, outputs, kernel, stride, padding, dilation, groups }) {
  const reach = dilation * (kernel - 1) + 1;
  const room = size + 2 * padding;
  if (reach > room) return { reason: "fits", fields: ["size", "kernel", "padding", "dilation"], reach, room };
  const uneven = ["inputs", "outputs"].filter((name) => ({ inputs, outputs })[name] % groups);
  if (uneven.length) return { reason: "groups", fields: [...uneven, "groups"] };
  const steps = Math.floor((room - reach) / stride);
  const side = steps + 1;
  const weights = (outputs * inputs * kernel * kernel) / groups;
  return {
    side,
    reach,
    unused: room - reach - steps * stride,
    parameters: weights + outputs,
    multiplications: weights * side * side,
  };
}

/** "{size} pixels" with size = 28 becomes "28 pixels". */
const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const group = (number) => number.toLocaleString("en");

function attach(box) {
  const fields = Object.fromEntries([...box.querySelectorAll("input")].map((input) => [input.name, input]));
  const results = Object.fromEntries([...box.querySelectorAll("[data-result]")].map((at) => [at.dataset.result, at]));
  const { message } = results;

  function show() {
    for (const input of Object.values(fields)) input.removeAttribute("aria-invalid");
    const settings = {};
    for (const [name, input] of Object.entries(fields)) {
      const { min, max } = input;
      const value = /^\d+$/.test(input.value.trim()) ? Number(input.value) : NaN;
      if (!(value >= Number(min) && value <= Number(max))) {
        return refuse([name], fill(box.dataset.whole, { name: input.labels[0].textContent.trim(), min, max: group(Number(max)) }));
      }
      settings[name] = value;
    }
    const found = convolution(settings);
    if (found.reason) return refuse(found.fields, fill(box.dataset[found.reason], { ...settings, ...found }));
    const { side, unused } = found;
    results.side.textContent = `${settings.outputs}×${side}×${side}`;
    results.working.textContent =
      `⌊(${settings.size} + 2×${settings.padding} − ${settings.dilation}×(${settings.kernel} − 1) − 1) / ` +
      `${settings.stride}⌋ + 1 = ${side}`;
    results.parameters.textContent = group(found.parameters);
    results.multiplications.textContent = group(found.multiplications);
    message.textContent = unused ? fill(box.dataset.unused, { unused }) : "";
    box.classList.remove("impossible");
  }

  function refuse(names, why) {
    for (const name of names) fields[name].setAttribute("aria-invalid", "true");
    for (const result of ["side", "working", "parameters", "multiplications"]) results[result].textContent = "—";
    message.textContent = why;
    box.classList.add("impossible");
  }

  box.addEventListener("input", show);
  box.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-preset]");
    if (!preset) return;
    for (const [name, value] of Object.entries(JSON.parse(preset.dataset.preset))) fields[name].value = value;
    show();
  });
  show();
  box.hidden = false;
}

if (typeof document !== "undefined") document.querySelectorAll(".shape-calculator").forEach(attach);
