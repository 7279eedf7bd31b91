// A song on its way from samples to steps: mixed down, resampled, cut into frames, answered.
import { Frames } from "./frames.js";
import { Stepper } from "./network.js";
import { Resampler } from "./resample.js";

/** @typedef {{start: number, end: number, probabilities: Float32Array}} Step */
/** @typedef {{kind: "frames", first: number, n_mels: number, frames: Float32Array}} FramesTold
 * @typedef {{kind: "steps", first: number, steps: Step[], embeddings: Float32Array | null}}
 *   StepsTold */

// Below this peak (−100 dB of full scale) a song is silence; above the other it cannot be sound.
const SILENCE = 1e-5;
const LOUDEST = 1e6;

// Where the mean of the channels has this small a share of the first one's power, they cancel.
const CANCELLED = 0.1;

export class Listening {
  /** @param {import("./network.js").Network} network @param {string} name of the song
   * @param {(told: FramesTold | StepsTold) => void} tell @param {boolean} live */
  constructor(network, name, tell, live = false) {
    this.network = network;
    this.name = name;
    this.tell = tell;
    this.live = live;
    this.frames = new Frames(network.sound);
    this.stepper = new Stepper(network, live);
    this.rate = 0;
    /** @type {Resampler | null} */
    this.resampler = null;
    this.ahead = 0;
    // Seconds of the song before it came to have this rate, and samples since.
    this.before = 0;
    this.samples = 0;
    this.peak = 0;
    // What is known of a song before anything in it can be heard.
    /** @type {(FramesTold | StepsTold)[]} */
    this.held = [];
  }

  /** @param {Float32Array} samples mono @param {number} rate */
  hear(samples, rate) {
    this.#check(samples);
    const own = this.network.sound.sample_rate;
    if (rate !== this.rate) {
      if (this.resampler) this.#push(this.resampler.finish());
      this.resampler = rate === own ? null : new Resampler(rate, own);
      this.before = this.seconds;
      this.samples = 0;
      this.rate = rate;
      // At the network's rate a step ends before its last sample's successor.
      const ahead = this.resampler ? this.resampler.ahead / rate - 1 / own : 0;
      this.ahead = Math.max(this.ahead, ahead);
    }
    this.samples += samples.length;
    this.#push(this.resampler ? this.resampler.push(samples) : samples);
  }

  get seconds() {
    return this.before + (this.rate && this.samples / this.rate);
  }

  // Answer one question; false where there is none yet.
  async answer(isEnd = false) {
    const answer = await this.stepper.next(isEnd);
    if (!answer) return false;
    const { first, count, probabilities, embeddings } = answer;
    const { genres } = this.network;
    const steps = Array.from({ length: count }, (_, i) => ({
      ...this.#span(first + i, isEnd),
      probabilities: probabilities.slice(i * genres, (i + 1) * genres),
    }));
    this.#tell({ kind: "steps", first, steps, embeddings });
    return true;
  }

  // What sees the zeros after the song's end; its steps are still to be answered.
  end() {
    if (!this.live && this.seconds && this.peak < SILENCE) {
      throw new Error(
        `${this.name}: holds only silence (nothing above -100 dB of full scale). ` +
          "Choose a file with music in it.",
      );
    }
    if (this.resampler) this.#push(this.resampler.finish());
    this.#told(this.frames.finish());
    const { size } = this.network.field;
    if (this.live || this.frames.taken >= size) return;
    const { hop, sample_rate } = this.network.sound;
    const needed = (Math.max(1, (size - 1) * hop) / sample_rate).toFixed(2);
    throw new Error(
      `${this.name}: the network needs at least ${needed} s of sound for one answer. ` +
        `Got ${this.seconds.toFixed(2)} s. Choose a longer piece.`,
    );
  }

  /** @param {number} step @param {boolean} isEnd */
  #span(step, isEnd) {
    const { hop, n_fft, sample_rate } = this.network.sound;
    const { size, stride, past } = this.network.field;
    const first = this.stepper.remembers ? 0 : Math.max(0, stride * step - past);
    const start = (hop * first - n_fft / 2) / sample_rate;
    const last = hop * (stride * step + size - 1) + n_fft / 2;
    const end = last / sample_rate + this.ahead;
    return { start, end: isEnd ? Math.min(end, this.seconds) : end };
  }

  /** @param {Float32Array} samples at the network's rate */
  #push(samples) {
    this.#told(this.frames.push(samples));
  }

  /** @param {Float32Array} frames */
  #told(frames) {
    if (!frames.length) return;
    const { n_mels } = this.network.sound;
    this.stepper.push(frames);
    const first = this.frames.taken - frames.length / n_mels;
    this.#tell({ kind: "frames", first, n_mels, frames });
  }

  /** @param {FramesTold | StepsTold} told */
  #tell(told) {
    this.held.push(told);
    if (this.peak < SILENCE && !this.live) return;
    for (const one of this.held.splice(0)) this.tell(one);
  }

  /** @param {Float32Array} samples */
  #check(samples) {
    let peak = 0;
    for (let i = 0; i < samples.length; i++) {
      const size = Math.abs(samples[i]);
      // Neither larger nor not larger: not a number.
      if (!(size <= peak)) peak = size;
      if (!(peak <= LOUDEST)) break;
    }
    if (!Number.isFinite(peak)) {
      throw new Error(
        `${this.name}: holds samples that are not numbers (NaN or infinite). Export it again.`,
      );
    }
    if (peak > LOUDEST) {
      throw new Error(
        `${this.name}: holds samples up to ${peak.toExponential(0)}, where full scale is 1; ` +
          "more than 1e6 cannot be sound. Export it again.",
      );
    }
    this.peak = Math.max(this.peak, peak);
  }
}

/** @param {import("./decode.js").Piece[]} pieces of one rate, about a second
 * @returns {{mono: Float32Array, cancels: boolean}} */
export function mixDown(pieces) {
  const length = pieces.reduce((total, { channels }) => total + channels[0].length, 0);
  const mono = new Float32Array(length);
  let at = 0;
  let power = 0;
  let left = 0;
  for (const { channels } of pieces) {
    const [first] = channels;
    for (let i = 0; i < first.length; i++) {
      let sum = first[i];
      for (let channel = 1; channel < channels.length; channel++) sum += channels[channel][i];
      const mean = sum / channels.length;
      mono[at + i] = mean;
      power += first[i] ** 2;
      left += mean ** 2;
    }
    at += first.length;
  }
  // One channel is the other upside down: of their mean only rounding noise would be left.
  const cancels = left < CANCELLED * power && power >= length * SILENCE ** 2;
  if (cancels) {
    at = 0;
    for (const { channels } of pieces) {
      mono.set(channels[0], at);
      at += channels[0].length;
    }
  }
  return { mono, cancels };
}
