// A picture file as white ink on black, whatever it was: a scan, a photo of paper, a saved digit.

const LARGEST = 512; // pixels of the longer side; more says nothing about 28×28

/**
 * @param {Blob} file
 * @returns {Promise<{ grey: Float32Array, width: number, height: number, inverted: boolean }>}
 */
export async function readPicture(file) {
  const address = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const [wide, high] = [picture.naturalWidth || LARGEST, picture.naturalHeight || LARGEST];
    const scale = Math.min(1, LARGEST / Math.max(wide, high));
    const width = Math.max(1, Math.round(wide * scale));
    const height = Math.max(1, Math.round(high * scale));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    brush.fillStyle = "white"; // shows where the picture is transparent
    brush.fillRect(0, 0, width, height);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(picture, 0, 0, width, height);
    const { data } = brush.getImageData(0, 0, width, height);
    // How bright red, green and blue look: ITU-R BT.601, as Pillow's "L"
    const grey = new Float32Array(width * height).map((_, i) => (299 * data[4 * i] + 587 * data[4 * i + 1] + 114 * data[4 * i + 2]) / 255000);
    return { ...whiteInk(grey, width, height), width, height };
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * The border tells the background and how uneven it is. What does not stand out from it is black,
 * what stands out most is white.
 *
 * @param {Float32Array} grey
 * @param {number} width
 * @param {number} height
 */
export function whiteInk(grey, width, height) {
  const border = grey.filter((_, i) => i < width || i >= grey.length - width || i % width === 0 || i % width === width - 1).sort();
  const background = border[border.length >> 1];
  const inverted = background > 0.5;
  const contrast = grey.map((value) => (inverted ? background - value : value - background));
  const off = border.map((value) => Math.abs(value - background)).sort();
  const noise = 3 * off[Math.floor(0.9 * (off.length - 1))]; // of normal noise, five deviations
  const range = contrast.reduce((most, value) => Math.max(most, value), 0) - noise;
  return { grey: contrast.map((value) => (value > noise ? (value - noise) / range : 0)), inverted };
}
