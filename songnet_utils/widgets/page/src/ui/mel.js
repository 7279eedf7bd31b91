// A song's log-mel, kept as bytes and drawn as a picture.

// What a byte stands for: natural logarithms of power from here to there. The picture shows what is
// at most so far below the loudest.
const FROM = -20;
const TO = 10;
const DEPTH = 15;
const QUIET = 2;

const byteOf = (/** @type {number} */ value) =>
  Math.max(0, Math.min(255, (255 * (value - FROM)) / (TO - FROM)));

// Frames in one block of bytes.
const BLOCK = 1024;
const MOST_COLUMNS = 4096;

export class Mel {
  blocks = /** @type {Uint8Array[]} */ ([]);
  filled = 0;
  loudest = byteOf(QUIET);

  constructor(/** @type {Sound} */ sound) {
    this.bands = sound.n_mels;
    // Of one frame.
    this.seconds = sound.hop / sound.sample_rate;
  }

  add(/** @type {Float32Array} */ frames) {
    const { bands } = this;
    for (let at = 0; at < frames.length; at += bands) {
      const row = this.filled++ % BLOCK;
      if (!row) this.blocks.push(new Uint8Array(BLOCK * bands));
      const block = /** @type {Uint8Array} */ (this.blocks.at(-1));
      for (let band = 0; band < bands; band++) {
        const value = byteOf(frames[at + band]);
        block[row * bands + band] = value;
        // In steps: what is drawn already stays good for a while.
        if (value > this.loudest) this.loudest = Math.min(255, 8 * Math.ceil(value / 8));
      }
    }
  }

  // Frames up to a moment, as far as there are any.
  until(/** @type {number} */ seconds) {
    return Math.max(0, Math.min(this.filled, Math.ceil(seconds / this.seconds) + 1));
  }

  /** @param {Context} context @param {Uint8ClampedArray} colours @param {Strip} strip */
  paint(context, colours, { at, from, to, top, bottom }) {
    const first = this.until(from - 2 * this.seconds);
    const count = this.until(to) - first;
    if (count <= 0) return;
    const { bands, loudest } = this;
    const ground = Math.max(0, loudest - (255 * DEPTH) / (TO - FROM));
    // A picture of an hour needs not every frame, nor would a canvas hold that many.
    const every = Math.ceil(count / MOST_COLUMNS);
    const columns = Math.ceil(count / every);
    const pixels = new ImageData(columns, bands);
    const words = new Uint32Array(pixels.data.buffer);
    const inks = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      const height = Math.max(0, Math.min(1, (i - ground) / (loudest - ground)));
      const ink = 3 * Math.round(255 * height ** 1.4);
      inks[i] = 0xff000000 | (colours[ink + 2] << 16) | (colours[ink + 1] << 8) | colours[ink];
    }
    for (let x = 0; x < columns; x++) {
      const frame = first + x * every;
      const block = this.blocks[Math.floor(frame / BLOCK)];
      const row = (frame % BLOCK) * bands;
      for (let band = 0; band < bands; band++) {
        words[(bands - 1 - band) * columns + x] = inks[block[row + band]];
      }
    }
    const bitmap = new OffscreenCanvas(columns, bands);
    bitmap.getContext("2d")?.putImageData(pixels, 0, 0);
    // A frame's column lies around its centre.
    const left = at((first - 0.5) * this.seconds);
    const right = at((first + columns * every - 0.5) * this.seconds);
    context.save();
    context.beginPath();
    context.rect(at(from), top, at(to) - at(from), bottom - top);
    context.clip();
    context.drawImage(bitmap, left, top, right - left, bottom - top);
    context.restore();
  }
}
