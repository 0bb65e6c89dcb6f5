// Material adds a <nav> without a name to every code block; screen readers would list each one as a
// place to go. They are only buttons.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) {
    nav.setAttribute("role", "presentation");
  }
}).observe(document.body, { childList: true, subtree: true });
