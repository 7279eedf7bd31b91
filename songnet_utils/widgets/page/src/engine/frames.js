// Log-mel frames from samples in pieces, equal to those of songnet_utils/audio/frames.py.
import FFT from "fft.js";

// Slaney's mel scale: linear below 1 kHz, logarithmic above.
const LINEAR = 200 / 3;
const LOG_STEP = Math.log(6.4) / 27;
const mels = (/** @type {number} */ hertz) =>
  hertz < 1000 ? hertz / LINEAR : 15 + Math.log(hertz / 1000) / LOG_STEP;
const hertz = (/** @type {number} */ mel) =>
  mel < 15 ? mel * LINEAR : 1000 * Math.exp((mel - 15) * LOG_STEP);

/** @param {Float32Array} samples @param {Float32Array} others */
export function joined(samples, others) {
  const all = new Float32Array(samples.length + others.length);
  all.set(samples);
  all.set(others, samples.length);
  return all;
}

// Each band is a triangle over a few bins: the number of the first bin, and the weights.
function melFilters(/** @type {Sound} */ { sample_rate, n_fft, n_mels }) {
  const top = mels(sample_rate / 2);
  const edges = Array.from({ length: n_mels + 2 }, (_, i) => hertz((i * top) / (n_mels + 1)));
  return Array.from({ length: n_mels }, (_, band) => {
    const [low, middle, high] = edges.slice(band, band + 3);
    const all = Array.from({ length: n_fft / 2 + 1 }, (_, bin) => {
      const at = (bin * sample_rate) / n_fft;
      const inside = Math.min((at - low) / (middle - low), (high - at) / (high - middle));
      return (Math.max(0, inside) * 2) / (high - low);
    });
    const first = Math.max(0, all.findIndex((weight) => weight > 0));
    const last = all.findLastIndex((weight) => weight > 0);
    return { first, weights: Float32Array.from(all.slice(first, last + 1)) };
  });
}

export class Frames {
  heard = 0;
  taken = 0;

  constructor(/** @type {Sound} */ sound) {
    const { n_fft } = sound;
    if (n_fft & (n_fft - 1)) throw new Error(`n_fft must be 2, 4, 8, 16, …. Got ${n_fft}`);
    this.sound = sound;
    this.filters = melFilters(sound);
    this.window = new Float32Array(n_fft)
      .map((_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n_fft));
    this.fft = new FFT(n_fft);
    this.spectrum = this.fft.createComplexArray();
    this.weighted = new Array(n_fft).fill(0);
    this.power = new Float64Array(n_fft / 2 + 1);
    // Frame 0 is centred on the first sample, so half a window of zeros comes before it.
    this.waiting = new Float32Array(n_fft / 2);
  }

  // Return the frames that the samples complete.
  push(/** @type {Float32Array} */ samples) {
    this.heard += samples.length;
    return this.#take(samples);
  }

  // Return the last frames, which include zeros after the song's end.
  finish() {
    const { hop, n_fft } = this.sound;
    const missing = Math.floor(this.heard / hop) + 1 - this.taken;
    const zeros = (missing - 1) * hop + n_fft - this.waiting.length;
    return this.#take(new Float32Array(Math.max(0, this.heard ? zeros : 0)));
  }

  #take(/** @type {Float32Array} */ samples) {
    const { hop, n_fft, n_mels } = this.sound;
    const all = joined(this.waiting, samples);
    const count = Math.max(0, Math.floor((all.length - n_fft) / hop) + 1);
    const frames = new Float32Array(count * n_mels);
    for (let i = 0; i < count; i++) {
      this.#frame(all.subarray(i * hop), frames.subarray(i * n_mels));
    }
    this.waiting = all.slice(count * hop);
    this.taken += count;
    return frames;
  }

  #frame(/** @type {Float32Array} */ samples, /** @type {Float32Array} */ frame) {
    const { weighted, window, spectrum, power, filters } = this;
    for (let i = 0; i < window.length; i++) weighted[i] = samples[i] * window[i];
    this.fft.realTransform(spectrum, weighted);
    for (let bin = 0; bin < power.length; bin++) {
      power[bin] = spectrum[2 * bin] ** 2 + spectrum[2 * bin + 1] ** 2;
    }
    filters.forEach(({ first, weights }, band) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * power[first + i];
      frame[band] = Math.log(Math.max(sum, this.sound.floor));
    });
  }
}
