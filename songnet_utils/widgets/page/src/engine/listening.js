// From samples to steps: mix down, resample, compute frames, run the network.
import { Frames, joined } from "./frames.js";
import { Stepper } from "./network.js";
import { Resampler } from "./resample.js";

// Below the first peak (−100 dB of full scale), a song is silence; above the second, it is damaged.
const SILENCE = 1e-5;
const LOUDEST = 1e6;

// Channels cancel out when their mean has less than this share of the first channel's power.
const CANCELLED = 0.1;

export class Listening {
  rate = 0;
  resampler = /** @type {Resampler | null} */ (null);
  ahead = 0;
  // The seconds before the last change of the sample rate, and the samples since.
  before = 0;
  samples = 0;
  peak = 0;
  // The messages that wait until the song is louder than silence.
  held = /** @type {Told[]} */ ([]);

  /** @param {import("./network.js").Network} network @param {string} name of the song
   * @param {(told: Told) => void} tell @param {boolean} live */
  constructor(network, name, tell, live = false) {
    this.network = network;
    this.name = name;
    this.tell = tell;
    this.live = live;
    this.frames = new Frames(network.sound);
    this.stepper = new Stepper(network, live);
  }

  /** @param {Float32Array} samples mono @param {number} rate */
  hear(samples, rate) {
    this.#check(samples);
    const own = this.network.sound.sample_rate;
    if (rate !== this.rate) {
      if (this.resampler) this.#told(this.frames.push(this.resampler.finish()));
      this.resampler = rate === own ? null : new Resampler(rate, own);
      this.before = this.seconds;
      this.samples = 0;
      this.rate = rate;
      // At the network's rate, a step ends just before the sample that follows its last one.
      const ahead = this.resampler ? this.resampler.ahead / rate - 1 / own : 0;
      this.ahead = Math.max(this.ahead, ahead);
    }
    this.samples += samples.length;
    this.#told(this.frames.push(this.resampler?.push(samples) ?? samples));
  }

  get seconds() {
    return this.before + (this.rate && this.samples / this.rate);
  }

  // Compute the next steps; return false if there are none yet.
  async answer(isEnd = false) {
    const answer = await this.stepper.next(isEnd);
    if (!answer) return false;
    const { first, count, embeddings } = answer;
    const { genres } = this.network;
    const steps = Array.from({ length: count }, (_, i) => {
      const probabilities = answer.probabilities.slice(i * genres, (i + 1) * genres);
      return { ...this.#span(first + i, isEnd), probabilities };
    });
    this.#tell({ kind: "steps", first, steps, embeddings });
    return true;
  }

  // Make the last frames, which include zeros after the song's end; their steps are still to come.
  end() {
    if (!this.live && this.seconds && this.peak < SILENCE) {
      const why = "holds only silence (nothing above -100 dB of full scale)";
      throw new Error(`${this.name}: ${why}. Choose a file with music in it.`);
    }
    if (this.resampler) this.#told(this.frames.push(this.resampler.finish()));
    this.#told(this.frames.finish());
    const { size } = this.network.field;
    if (this.live || this.frames.taken >= size) return;
    const { hop, sample_rate } = this.network.sound;
    const needed = (Math.max(1, (size - 1) * hop) / sample_rate).toFixed(2);
    throw new Error(
      `${this.name}: the network needs at least ${needed} s of sound for one answer. ` +
        `Got ${this.seconds.toFixed(2)} s. Choose a longer song.`,
    );
  }

  #span(/** @type {number} */ step, /** @type {boolean} */ isEnd) {
    const { hop, n_fft, sample_rate } = this.network.sound;
    const { size, stride, past } = this.network.field;
    const first = this.stepper.remembers ? 0 : Math.max(0, stride * step - past);
    const start = (hop * first - n_fft / 2) / sample_rate;
    const last = hop * (stride * step + size - 1) + n_fft / 2;
    const end = last / sample_rate + this.ahead;
    return { start, end: isEnd ? Math.min(end, this.seconds) : end };
  }

  #told(/** @type {Float32Array} */ frames) {
    if (!frames.length) return;
    const { n_mels } = this.network.sound;
    this.stepper.push(frames);
    const first = this.frames.taken - frames.length / n_mels;
    this.#tell({ kind: "frames", first, n_mels, frames });
  }

  #tell(/** @type {Told} */ told) {
    this.held.push(told);
    if (this.peak < SILENCE && !this.live) return;
    for (const one of this.held.splice(0)) this.tell(one);
  }

  #check(/** @type {Float32Array} */ samples) {
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const contains = `${this.name}: contains samples`;
    if (!Number.isFinite(peak)) {
      throw new Error(`${contains} that are not numbers (NaN or infinite). Export it again.`);
    }
    if (peak > LOUDEST) {
      const size = `up to ${peak.toExponential(0)}, where full scale is 1`;
      throw new Error(`${contains} ${size}; more than 1e6 cannot be sound. Export it again.`);
    }
    this.peak = Math.max(this.peak, peak);
  }
}

// Mix down pieces of one rate, about a second.
export function mixDown(/** @type {Piece[]} */ pieces) {
  const count = pieces[0].channels.length;
  const channels = Array.from({ length: count }, (_, number) =>
    pieces.map((piece) => piece.channels[number]).reduce(joined),
  );
  const [first] = channels;
  const mono = new Float32Array(first.length);
  // Loops, because callbacks take seven times as long.
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < count; channel++) sum += channels[channel][i];
    mono[i] = sum / count;
  }
  const power = powerOf(first);
  // If one channel is the other inverted, their mean is only rounding noise.
  const cancels = powerOf(mono) < CANCELLED * power && power >= first.length * SILENCE ** 2;
  return { mono: cancels ? first : mono, cancels };
}

function powerOf(/** @type {Float32Array} */ samples) {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] ** 2;
  return sum;
}
