// The recording of a microphone, as a wav with 16 bits per sample.

export class Recording {
  parts = /** @type {Int16Array<ArrayBuffer>[]} */ ([]);

  constructor(/** @type {number} */ rate) {
    this.rate = rate;
  }

  add(/** @type {Float32Array} */ samples) {
    const cut = (/** @type {number} */ value) => Math.max(-32768, Math.min(32767, value));
    this.parts.push(Int16Array.from(samples, (sample) => cut(Math.round(sample * 32768))));
  }

  blob() {
    const bytes = this.parts.reduce((total, part) => total + part.byteLength, 0);
    // RIFF, WAVE, "fmt " with 16 bytes of facts (whole numbers, one channel), data.
    const start = [0x46464952, 36 + bytes, 0x45564157, 0x20746d66, 16, 0x10001];
    const rest = [this.rate, 2 * this.rate, 0x100002, 0x61746164, bytes];
    return new Blob([new Uint32Array([...start, ...rest]), ...this.parts], { type: "audio/wav" });
  }
}
