// What a microphone gave, as a wav with 16 bits a sample.

export class Recording {
  /** @param {number} rate */
  constructor(rate) {
    this.rate = rate;
    /** @type {Int16Array<ArrayBuffer>[]} */
    this.parts = [];
  }

  /** @param {Float32Array} samples */
  add(samples) {
    this.parts.push(
      Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768)))),
    );
  }

  blob() {
    const bytes = this.parts.reduce((total, part) => total + part.byteLength, 0);
    const header = new DataView(new ArrayBuffer(44));
    const text = (/** @type {number} */ at, /** @type {string} */ word) =>
      [...word].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
    text(0, "RIFF");
    header.setUint32(4, 36 + bytes, true);
    text(8, "WAVEfmt ");
    header.setUint32(16, 16, true);
    header.setUint16(20, 1, true); // whole numbers
    header.setUint16(22, 1, true); // channels
    header.setUint32(24, this.rate, true);
    header.setUint32(28, 2 * this.rate, true);
    header.setUint16(32, 2, true);
    header.setUint16(34, 16, true);
    text(36, "data");
    header.setUint32(40, bytes, true);
    return new Blob([header, ...this.parts], { type: "audio/wav" });
  }
}
