// What the lab says. Its sentences stand in docs/<language>/lab.yml; gen/lab/words.py makes a script of
// them, words.js, which leaves them here. {name} stands for a value.

const words = /** @type {{ cnnvizWords?: Record<string, string> }} */ (globalThis).cnnvizWords ?? {};

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  const sentence = words[key];
  if (sentence === undefined) throw new Error(`The lab has no words for "${key}".`);
  const text = sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  // A space stands between 汉字 and Latin letters, but not between 汉字.
  return text.replace(/(\p{Script=Han}) (?=\p{Script=Han})/gu, "$1");
}

/** Most layers are called as in the code. @param {string} layer */
export function layerName(layer) {
  return words[`layer ${layer}`] ?? layer;
}
