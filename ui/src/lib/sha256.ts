/**
 * SHA-256, piece by piece, so that a file of any size is checked while it comes.
 *
 * The browser's own takes a file whole, in memory, and only over a safe connection.
 * Source of the constants and of the rounds: FIPS 180-4, sections 4.2.2 and 6.2.
 */

const BLOCK = 64;
const [ROOTS, CUBES] = fractions();

export class Sha256 {
  readonly #state = Int32Array.from(ROOTS);
  readonly #words = new Int32Array(BLOCK);
  readonly #rest = new Uint8Array(BLOCK);
  #held = 0;
  #bytes = 0;

  update(piece: Uint8Array): this {
    this.#bytes += piece.length;
    let at = 0;
    if (this.#held > 0) {
      at = Math.min(BLOCK - this.#held, piece.length);
      this.#rest.set(piece.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < BLOCK) return this;
      this.#mix(this.#rest, 0);
      this.#held = 0;
    }
    for (; at + BLOCK <= piece.length; at += BLOCK) this.#mix(piece, at);
    this.#rest.set(piece.subarray(at));
    this.#held = piece.length - at;
    return this;
  }

  /** The end: the digest in hex. Nothing may be added afterwards. */
  hex(): string {
    const bytes = this.#bytes;
    const padding = new Uint8Array((this.#held < 56 ? 56 : 120) - this.#held + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bytes / 2 ** 29));
    view.setUint32(padding.length - 4, (bytes * 8) >>> 0);
    this.update(padding);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #mix(from: Uint8Array, start: number): void {
    const w = this.#words;
    for (let i = 0, at = start; i < 16; i += 1, at += 4)
      w[i] =
        (byte(from, at) << 24) | (byte(from, at + 1) << 16) | (byte(from, at + 2) << 8) | byte(from, at + 3);
    for (let i = 16; i < BLOCK; i += 1) {
      const x = word(w, i - 15);
      const y = word(w, i - 2);
      const low = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
      const high = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
      w[i] = (word(w, i - 16) + low + word(w, i - 7) + high) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this.#state as unknown as Eight;
    for (let i = 0; i < BLOCK; i += 1) {
      const high = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const one = (h + high + ((e & f) ^ (~e & g)) + word(CUBES, i) + word(w, i)) | 0;
      const low = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    const state = this.#state;
    state[0] = word(state, 0) + a;
    state[1] = word(state, 1) + b;
    state[2] = word(state, 2) + c;
    state[3] = word(state, 3) + d;
    state[4] = word(state, 4) + e;
    state[5] = word(state, 5) + f;
    state[6] = word(state, 6) + g;
    state[7] = word(state, 7) + h;
  }
}

type Eight = [number, number, number, number, number, number, number, number];

const byte = (from: Uint8Array, at: number): number => from[at] as number;
const word = (from: Int32Array, at: number): number => from[at] as number;
const turned = (value: number, by: number): number => (value >>> by) | (value << (32 - by));

/** 32 bits of the fractions of the first primes' square roots (8), and of their cube roots (64). */
function fractions(): [Int32Array, Int32Array] {
  const primes: number[] = [];
  for (let n = 2; primes.length < BLOCK; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const bits = (root: number) => ((root % 1) * 2 ** 32) | 0;
  return [
    Int32Array.from(primes.slice(0, 8), (p) => bits(Math.sqrt(p))),
    Int32Array.from(primes, (p) => bits(Math.cbrt(p))),
  ];
}
