// The two sums in which nearly all of a forward pass is spent, written twice: plainly, and for the
// processor's SIMD instructions, which add and multiply four numbers at once. Both work on one array,
// the memory, and take positions in it.

/**
 * @typedef {object} Kernel
 * @property {Float32Array} memory
 * @property {(sums: number, x: number, count: number, w0: number, w1: number, w2: number, w3: number, w4: number) => void} slide
 *   one row of a 5×5 kernel slides along `count` numbers from `x` on; what it gives at each place is
 *   added to the numbers from `sums` on (and to up to three after the last)
 * @property {(x: number, w: number, count: number) => number} dot
 *   the sum of `count` numbers, a multiple of four, each times its weight
 */

const PAGES = 32; // of 64 KiB: room for the largest layer of the MLP

/** @type {Kernel} */
export const plain = {
  memory: new Float32Array(PAGES * 2 ** 14),
  slide(sums, x, count, w0, w1, w2, w3, w4) {
    const m = plain.memory;
    for (let i = 0; i < count; i++) {
      m[sums + i] += w0 * m[x + i] + w1 * m[x + i + 1] + w2 * m[x + i + 2] + w3 * m[x + i + 3] + w4 * m[x + i + 4];
    }
  },
  dot(x, w, count) {
    const m = plain.memory;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += m[x + i] * m[w + i];
    return sum;
  },
};

/** The faster of the two that this browser has. */
export const fastest = simd() ?? plain;

/**
 * The same in WebAssembly, put together here from its instructions: no compiler, no binary file.
 *
 * @returns {Kernel | null}  null where there is no WebAssembly with SIMD
 */
export function simd() {
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(program())));
    const { memory, slide, dot } = /** @type {{ memory: WebAssembly.Memory, slide: Kernel["slide"], dot: Kernel["dot"] }} */ (
      /** @type {unknown} */ (instance.exports)
    );
    // Over there positions are in bytes, four to a number.
    return {
      memory: new Float32Array(memory.buffer),
      slide: (sums, x, count, ...weights) => slide(4 * sums, 4 * x, count, ...weights),
      dot: (x, w, count) => dot(4 * x, 4 * w, count),
    };
  } catch {
    return null;
  }
}

/**
 * The bytes of the program. WebAssembly computes on a stack: each instruction takes its operands
 * from the top and leaves its result there.
 *
 * @returns {number[]}
 */
function program() {
  const [i32, f32, four] = [0x7f, 0x7d, 0x7b]; // types; "four" is a v128: four f32
  const get = (/** @type {number} */ local) => [0x20, local]; // local.get
  const set = (/** @type {number} */ local) => [0x21, local]; // local.set
  const constant = (/** @type {number} */ n) => [0x41, n]; // i32.const, below 64
  const load = (/** @type {number} */ offset) => [0xfd, 0, 2, offset]; // v128.load
  const store = [0xfd, 11, 2, 0]; // v128.store
  const splat = [0xfd, 19]; // f32x4.splat: one number four times
  const lane = (/** @type {number} */ i) => [0xfd, 31, i]; // f32x4.extract_lane
  const [add, multiply] = [[0xfd, 0xe4, 1], [0xfd, 0xe6, 1]]; // f32x4.add, f32x4.mul
  const plus = [0x92]; // f32.add
  const advance = (/** @type {number} */ local, by = 16) => [...get(local), ...constant(by), 0x6a, ...set(local)]; // i32.add
  // Runs at least once, and as long as numbers are left: they go by fours.
  const loop = (/** @type {number} */ count, /** @type {number[][]} */ ...body) => [
    0x03, 0x40, ...body.flat(), ...get(count), ...constant(4), 0x6b, 0x22, count, ...constant(0), 0x4a, 0x0d, 0, 0x0b, // sub, tee, gt_s, br_if, end
  ];

  const taps = [0, 1, 2, 3, 4];
  const [sums, x, count, weight, fours] = [0, 1, 2, 3, 8]; // parameters of slide, then its own: each weight four times
  const slide = [
    ...taps.flatMap((i) => [...get(weight + i), ...splat, ...set(fours + i)]),
    ...loop(
      count,
      get(sums), // where to store
      get(sums), load(0),
      ...taps.map((i) => [...get(x), ...load(4 * i), ...get(fours + i), ...multiply, ...add]),
      store,
      advance(sums), advance(x),
    ),
  ];
  const [a, b, left, sum] = [0, 1, 2, 3]; // parameters of dot, then its own
  const dot = [
    ...loop(left, get(sum), get(a), load(0), get(b), load(0), multiply, add, set(sum), advance(a), advance(b)),
    ...[0, 1, 2, 3].flatMap((i) => [...get(sum), ...lane(i)]), ...plus, ...plus, ...plus,
  ];

  const list = (/** @type {number[][]} */ ...items) => [items.length, ...items.flat()];
  const sized = (/** @type {number[]} */ bytes) => [(bytes.length & 127) | 128, bytes.length >> 7, ...bytes]; // below 16,384
  const name = (/** @type {string} */ word) => [word.length, ...new TextEncoder().encode(word)];
  const body = (/** @type {number} */ locals, /** @type {number[]} */ code) => sized([1, locals, four, ...code, 0x0b]);
  const section = (/** @type {number} */ id, /** @type {number[]} */ bytes) => [id, ...sized(bytes)];
  const types = list([0x60, 8, i32, i32, i32, f32, f32, f32, f32, f32, 0], [0x60, 3, i32, i32, i32, 1, f32]);
  const exports = list([...name("slide"), 0, 0], [...name("dot"), 0, 1], [...name("memory"), 2, 0]);
  return [
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
    ...section(1, types),
    ...section(3, list([0], [1])), // which function has which type
    ...section(5, list([0, PAGES])), // memory
    ...section(7, exports),
    ...section(10, list(body(5, slide), body(1, dot))),
  ];
}
