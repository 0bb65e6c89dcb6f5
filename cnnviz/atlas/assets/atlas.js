// Pages of the atlas. A plain script, so that it also runs from a folder (file://).

// The present layer in the middle of the strip of layers, which scrolls on narrow screens.
for (const strip of document.querySelectorAll("nav.net-strip")) {
  const here = strip.querySelector("[aria-current]");
  if (here) strip.scrollLeft = here.offsetLeft + (here.offsetWidth - strip.clientWidth) / 2;
}

// The inputs become radio buttons. What depends on the input has one part for each: a band of a picture
// (data-bands), the ends of a scale (data-ends), a line below the pictures (.fig-notes).
{
  const all = (selector) => [...document.querySelectorAll(selector)];
  const inputs = document.querySelector(".fig-inputs");
  const kept = "cnnviz-atlas-input"; // the reader goes from layer to layer with one input
  const choosers = [];

  const choose = (index) => {
    for (const image of all("img[data-bands]")) {
      const last = Number(image.dataset.bands) - 1;
      image.style.setProperty("--at", `${last ? (100 * index) / last : 0}%`);
    }
    for (const legend of all(".legend[data-ends]")) {
      const [low, high] = legend.dataset.ends.split("|")[index].split(" ");
      legend.querySelector(".legend-low").textContent = low;
      legend.querySelector(".legend-high").textContent = high;
    }
    for (const notes of all(".fig-notes")) {
      [...notes.children].forEach((line, at) => (line.hidden = at !== index));
    }
    for (const radios of choosers) radios[index].checked = true;
  };

  const build = (box, title) => {
    box.setAttribute("role", "radiogroup");
    box.setAttribute("aria-label", title);
    const number = choosers.length;
    choosers.push(
      [...box.children].map((panel, index) => {
        const label = document.createElement("label");
        const radio = Object.assign(document.createElement("input"), { type: "radio", name: `atlas-input-${number}` });
        radio.addEventListener("change", () => {
          choose(index);
          try {
            sessionStorage.setItem(kept, String(index));
          } catch {} // storage may be forbidden; then the choice holds for this page
        });
        label.append(radio, ...panel.childNodes);
        panel.append(label);
        return radio;
      }),
    );
  };

  if (inputs) {
    const title = inputs.closest("figure").getAttribute("aria-label");
    const copy = inputs.cloneNode(true);
    build(inputs, title);
    // The same choice stands above every later figure that depends on it.
    const figures = all("figure.fig:has(img[data-bands])");
    for (const figure of figures.slice(1)) {
      const box = copy.cloneNode(true);
      figure.prepend(box);
      build(box, title);
    }
    for (const notes of all(".fig-notes")) notes.setAttribute("aria-live", "polite");
    let start = 0;
    try {
      start = Number(sessionStorage.getItem(kept)) || 0;
    } catch {}
    choose(start < choosers[0].length ? start : 0);
  }
}

const onDisk = location.protocol === "file:" ? "index.html" : ""; // a folder on disk has no first page

// Each tile of a picture leads to the page of its unit: links for the mouse, the same as in the list below.
for (const box of document.querySelectorAll(".tiles[data-layer]")) {
  box.addEventListener(
    "pointerenter",
    () => {
      const { layer, count, columns } = box.dataset;
      const wide = Math.max(2, String(count - 1).length);
      const links = document.createElement("div");
      links.className = "tile-links";
      links.setAttribute("aria-hidden", "true");
      links.style.cssText = `--c:${columns};--r:${Math.ceil(count / columns)}`;
      for (let unit = 0; unit < count; unit++) {
        const name = String(unit).padStart(wide, "0");
        links.append(Object.assign(document.createElement("a"), { href: `../${layer}/${name}/${onDisk}`, title: name, tabIndex: -1 }));
      }
      box.append(links);
    },
    { once: true },
  );
}
