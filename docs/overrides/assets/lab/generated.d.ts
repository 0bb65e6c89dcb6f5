// Types of generated.js, which gen/lab/files.py writes into the joined script: what the lab shares
// with the Python side is exported from there, never typed twice.

export interface NetworkFile {
  /** Also the name of its file: "lenet", "mlp", "lenet-0" (the random start), "lenet-64", … */
  name: string;
  model: "lenet" | "mlp";
  /** Weight updates behind it. */
  step: number;
  /** Share of right answers on held-out images at that step. */
  accuracy: number;
  /** Which weights these are, as on the page "About this build". */
  digest: string;
}

export const settings: {
  dataset: string;
  classNames: string[];
  /** Pixels of an image's side, and of the box that the ink fills. */
  side: number;
  box: number;
  /** Half the width of the pen and the width of its soft edge, in pixels of the image. */
  pen: number;
  edge: number;
  /** 256 colours each, six hexadecimal digits a colour; the first is the gap between maps. */
  palettes: Record<"sequential" | "diverging" | "grey", string>;
  networks: NetworkFile[];
  /** How many images the test set has, how many digits that people wrote come after them, and how
   * many images are in one file samples-N.js. */
  samples: { count: number; written: number; each: number };
};
