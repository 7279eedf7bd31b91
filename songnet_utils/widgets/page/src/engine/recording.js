// What a microphone gave, as a wav with 16 bits a sample.

export class Recording {
  parts = /** @type {Int16Array<ArrayBuffer>[]} */ ([]);

  constructor(/** @type {number} */ rate) {
    this.rate = rate;
  }

  add(/** @type {Float32Array} */ samples) {
    const whole = samples.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))));
    this.parts.push(Int16Array.from(whole));
  }

  blob() {
    const bytes = this.parts.reduce((total, part) => total + part.byteLength, 0);
    // Whole numbers of one channel; so many samples and bytes a second; bytes and bits a sample.
    const rates = Uint32Array.of(this.rate, 2 * this.rate);
    const format = [Uint32Array.of(16), Uint16Array.of(1, 1), rates, Uint16Array.of(2, 16)];
    const header = ["RIFF", Uint32Array.of(36 + bytes), "WAVEfmt ", ...format];
    const parts = [...header, "data", Uint32Array.of(bytes), ...this.parts];
    return new Blob(parts, { type: "audio/wav" });
  }
}
