// Added to each page of the offline copy (offline.py), before Material's own script. A page that is
// opened from disk may neither fetch nor start a worker, but it may have scripts and frames.

// Material's search runs in a worker. Here the same script runs in a hidden frame that speaks like one;
// the script looks for this name in its parent, and then finds its language files beside itself.
globalThis.IFrameWorker = class extends EventTarget {
  /** @param {string | URL} script */
  constructor(script) {
    super();
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.hidden = true;
    this.inside = frame.contentWindow;
    this.ready = new Promise((done) => {
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside.importScripts = async (...names) => {
        for (const name of names) await run(this.inside.document, name);
      };
      run(this.inside.document, script).then(done);
    });
  }

  postMessage(data) {
    this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })));
  }

  terminate() {
    this.inside.frameElement.remove();
  }
};
if (location.protocol === "file:") globalThis.Worker = globalThis.IFrameWorker;

function run(where, address) {
  return new Promise((done, fail) => {
    const script = where.createElement("script");
    Object.assign(script, { src: address, onload: done, onerror: fail });
    where.body.append(script);
  });
}

// On disk a folder is not its index.html. Links in the text were changed; these are made by scripts.
for (const event of ["pointerover", "focusin", "click", "auxclick"]) {
  document.addEventListener(
    event,
    ({ target }) => {
      const link = target instanceof Element ? target.closest("a[href]") : null;
      if (link instanceof HTMLAnchorElement && link.protocol === "file:" && link.pathname.endsWith("/")) {
        link.pathname += "index.html";
      }
    },
    true,
  );
}
