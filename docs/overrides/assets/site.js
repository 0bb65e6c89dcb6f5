// Material adds a <nav> without a name to every code block; screen readers would list each one as a
// place to go, but they are only buttons. It wraps wide tables in a box that scrolls; the keyboard
// must be able to get there.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) {
    nav.setAttribute("role", "presentation");
  }
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) {
    box.tabIndex = 0;
  }
}).observe(document.body, { childList: true, subtree: true });
