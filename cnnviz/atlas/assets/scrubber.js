// A slider over the variants of a figure (cnnviz/figure/html.py): it moves the radio buttons that choose among
// them, which stay where they are for readers without JavaScript.
for (const figure of document.querySelectorAll(".tabbed-set[data-scrub]")) {
  const frames = [...figure.querySelectorAll(":scope > input")];
  const labels = figure.querySelector(":scope > .tabbed-labels");
  const names = [...labels.children].map((label) => label.textContent.trim());

  const name = document.createElement("label");
  name.className = "scrubber";
  const slider = Object.assign(document.createElement("input"), {
    type: "range",
    min: "0",
    max: String(frames.length - 1),
    value: String(frames.findIndex((frame) => frame.checked)),
  });
  const where = document.createElement("output");
  name.append(`${figure.dataset.scrub} `, where, slider);

  // A picture that has not been fetched yet would flash white when its frame comes up.
  const fetchAll = () => figure.querySelectorAll("img").forEach((image) => (image.loading = "eager"));
  slider.addEventListener("pointerenter", fetchAll, { once: true });
  slider.addEventListener("focus", fetchAll, { once: true });

  const show = () => {
    const at = Number(slider.value);
    frames[at].checked = true;
    where.textContent = names[at];
    slider.setAttribute("aria-valuetext", names[at]);
  };
  slider.addEventListener("input", show);
  show();
  labels.before(name);
  labels.hidden = true; // Material still looks for them
  frames.forEach((frame) => (frame.hidden = true));
}
