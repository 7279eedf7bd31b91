// A song's log-mel, stored as bytes and drawn as a picture.

// Bytes stand for natural logarithms of power in this range. The picture shows values down to DEPTH
// below the loudest.
const FROM = -20;
const TO = 10;
const DEPTH = 15;
const QUIET = 2;

const byteOf = (/** @type {number} */ value) =>
  Math.max(0, Math.min(255, (255 * (value - FROM)) / (TO - FROM)));

// The frames in a block of bytes.
const BLOCK = 1024;
const MOST_COLUMNS = 4096;

export class Mel {
  blocks = /** @type {Uint8Array[]} */ ([]);
  filled = 0;
  loudest = byteOf(QUIET);

  constructor(/** @type {Sound} */ sound) {
    this.bands = sound.n_mels;
    // Between frames.
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
        // Raise it in steps, so that finished pictures stay valid for a while.
        if (value > this.loudest) this.loudest = Math.min(255, 8 * Math.ceil(value / 8));
      }
    }
  }

  // The number of available frames up to a given time.
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
    // A picture of an hour does not need every frame, and a canvas could not hold so many.
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
    // A frame's column is centred on the frame's time.
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
