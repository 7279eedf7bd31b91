// Speech, silence and noise: a network for sound events (networks/aed.onnx) checks two seconds now
// and then, because a genre network never answers "none of these".
import { Resampler } from "../engine/resample.js";
import { meanOf } from "./layer.js";

const RATE = 16_000;
const PIECE = 2;
// Seconds from check to check: for a microphone, and for a song, where they grow with time.
const LIVE_EVERY = 4;
const EVERY = 10;
// Sound below this level, in decibels of full scale, is silence.
const SILENCE = -60;
// The smallest probabilities for music, and otherwise for speech.
const MUSIC = 0.4;
const SPEECH = 0.5;

export class EventListener {
  // The seconds so far, and the start of the next check.
  heard = 0;
  next = 0;
  rate = 0;
  samples = /** @type {number[]} */ ([]);
  events = /** @type {Events[]} */ ([]);

  /** @param {AskEvents} ask @param {(kind: Kind) => void} tell @param {boolean} live */
  constructor(ask, tell, live) {
    this.ask = ask;
    this.tell = tell;
    this.live = live;
  }

  async hear(/** @type {Float32Array} */ mono, /** @type {number} */ rate) {
    if (rate !== this.rate) this.resampler = rate === RATE ? null : new Resampler(rate, RATE);
    this.rate = rate;
    const start = this.heard;
    this.heard += mono.length / rate;
    const place = (/** @type {number} */ seconds) => Math.round((seconds - start) * rate);
    while (this.heard > this.next) {
      const part = mono.slice(Math.max(0, place(this.next)), place(this.next + PIECE));
      for (const sample of this.resampler?.push(part) ?? part) this.samples.push(sample);
      if (this.heard < this.next + PIECE) return;
      await this.end();
    }
  }

  // Check the samples of a piece.
  async end() {
    const samples = Float32Array.from(this.samples.splice(0));
    this.next += this.live ? LIVE_EVERY : EVERY + this.next / 10;
    if (samples.length < RATE / 2) return;
    const answers = await this.ask(samples);
    if (!answers) return;
    const [speech, singing, music] = meanOf(answers, 3);
    const power = samples.reduce((sum, x) => sum + x ** 2 / samples.length, 0);
    this.events.push({ level: 10 * Math.log10(power), speech, music: Math.max(singing, music) });
    this.tell(kindOf(this.live ? this.events.slice(-2) : this.events));
  }
}

/** @param {Events[]} events @returns {Kind} */
function kindOf(events) {
  const none = "A genre network cannot tell you that, so its answers here mean nothing.";
  const loud = events.filter(({ level }) => level >= SILENCE);
  if (!loud.length) return { kind: "silence", text: `This is silence. ${none}` };
  const mean = (/** @type {"speech" | "music"} */ key) =>
    loud.reduce((sum, one) => sum + one[key] / loud.length, 0);
  if (mean("music") >= MUSIC) return { kind: "music", text: "" };
  const kind = mean("speech") >= SPEECH ? "speech" : "noise";
  return { kind, text: `This sounds like ${kind}, not music. ${none}` };
}
