// The colours of a page of an atlas that is a folder of its own: those of the system, until a reader chooses.
// Runs first in <body>, before anything is painted. A plain script, so that it also runs from disk.
{
  const kept = "cnnviz-atlas-colours";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem(kept);
  } catch {} // storage may be forbidden
  const show = () => {
    const dark = chosen ? chosen === "slate" : system.matches;
    document.body.dataset.mdColorScheme = dark ? "slate" : "default";
  };
  show();
  system.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".frame-colours");
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = document.body.dataset.mdColorScheme === "slate" ? "default" : "slate";
      show();
      try {
        localStorage.setItem(kept, chosen);
      } catch {}
    });
  });
}
