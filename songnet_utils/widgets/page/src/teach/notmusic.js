// Speech, silence and noise: a network for sound events (networks/aed.onnx) is asked about two
// seconds now and then, because a genre network never answers "none of these".
import { Resampler } from "../engine/resample.js";

/** @typedef {import("./types").Events} Events */

const RATE = 16_000;
const PIECE = 2;
// Seconds between pieces: of a microphone, and of a song, where they grow with the time passed.
const LIVE_EVERY = 4;
const EVERY = 10;
// Decibels of full scale; what is softer is silence.
const SILENCE = -60;
const MUSIC = 0.4;
const SPEECH = 0.5;

export class EventListener {
  /** @param {(samples: Float32Array) => Promise<Float32Array>} ask gives speech, singing, music for
   *   each frame @param {(events: Events) => void} tell @param {boolean} live */
  constructor(ask, tell, live = false) {
    Object.assign(this, { rate: 0, heard: 0, next: 0 });
    this.ask = ask;
    this.tell = tell;
    this.live = live;
    /** @type {number[]} */
    this.samples = [];
  }

  /** @param {Float32Array} mono @param {number} rate */
  async hear(mono, rate) {
    if (rate !== this.rate) this.resampler = rate === RATE ? null : new Resampler(rate, RATE);
    this.rate = rate;
    const start = this.heard;
    this.heard += mono.length / rate;
    while (this.heard > this.next) {
      const [from, to] = [this.next, this.next + PIECE].map((at) => Math.round((at - start) * rate));
      const part = mono.slice(Math.max(0, from), to);
      for (const one of this.resampler?.push(part) ?? part) this.samples.push(one);
      if (this.heard < this.next + PIECE) return;
      await this.end();
    }
  }

  // What was heard of a piece is enough.
  async end() {
    const samples = Float32Array.from(this.samples.splice(0));
    const start = this.next;
    this.next += this.live ? LIVE_EVERY : EVERY + start / 10;
    if (samples.length < RATE / 2) return;
    const power = samples.reduce((sum, x) => sum + x ** 2 / samples.length, 0);
    const answers = await this.ask(samples);
    const [speech, singing, music] = [0, 1, 2].map((event) =>
      answers.reduce((sum, p, i) => sum + (i % 3 === event ? (3 * p) / answers.length : 0), 0),
    );
    this.tell({ start, level: 10 * Math.log10(power), speech, music: Math.max(singing, music) });
  }
}

/** @param {Events[]} events of a song, or the latest ones
 * @returns {{kind: "" | "music" | "speech" | "silence" | "noise", text: string}} */
export function kindOf(events) {
  const loud = events.filter(({ level }) => level >= SILENCE);
  const mean = (/** @type {"speech" | "music"} */ key) =>
    loud.reduce((sum, one) => sum + one[key] / loud.length, 0);
  if (!events.length) return { kind: "", text: "" };
  const none = "What a genre network says of it means nothing.";
  if (!loud.length) {
    return { kind: "silence", text: `This is silence (below ${SILENCE} dB of full scale). ${none}` };
  }
  if (mean("music") >= MUSIC) return { kind: "music", text: "" };
  const kind = mean("speech") >= SPEECH ? "speech" : "noise";
  return { kind, text: `This sounds like ${kind}, not like music. ${none}` };
}
