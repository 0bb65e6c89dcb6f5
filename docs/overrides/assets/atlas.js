// Pages of the atlas. A plain script, so that it also runs from a folder (file://).

// The present layer in the middle of the strip of layers, which scrolls on narrow screens.
for (const strip of document.querySelectorAll("nav.net-strip")) {
  const here = strip.querySelector("[aria-current]");
  if (here) strip.scrollLeft = here.offsetLeft + (here.offsetWidth - strip.clientWidth) / 2;
}
