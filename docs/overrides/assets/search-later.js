// Material fetches the index of the search with every page, more bytes than most pages have. Here the
// request waits until somebody is about to search. Loaded before Material's own script.

(() => {
  const { open, send } = XMLHttpRequest.prototype;
  const waiting = new WeakSet();
  const wanted = new Promise((/** @type {(value?: unknown) => void} */ go) => {
    if (new URLSearchParams(location.search).has("q")) go(); // a link to results
    for (const event of ["focusin", "pointerover"]) {
      document.addEventListener(event, ({ target }) => {
        if (target instanceof Element && target.closest(".md-search, [for=__search]")) go();
      });
    }
  });

  XMLHttpRequest.prototype.open = function (/** @type {any[]} */ ...request) {
    if (String(request[1]).endsWith("/search/search_index.json")) waiting.add(this);
    return Reflect.apply(open, this, request);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (waiting.has(this)) wanted.then(() => Reflect.apply(send, this, body));
    else Reflect.apply(send, this, body);
  };
})();
