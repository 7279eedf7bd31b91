// A windowed-sinc resampler with state: however you cut a song into pieces, each output sample is
// the same sum of the same products.

// The filter passes frequencies up to this share of the lower Nyquist frequency and stops them from
// 1 on. With these two constants, it equals Python's filter (soxr's HQ) to 0.3 %.
const PASSED = 0.9136;
const STOP_DECIBELS = 130;
const BETA = 0.1102 * (STOP_DECIBELS - 8.7);
// With more phases than these, coefficients are interpolated between neighbouring phases.
const MOST_PHASES = 2048;

/** @param {number} a @param {number} b @returns {number} */
const divisor = (a, b) => (b ? divisor(b, a % b) : a);

// The modified Bessel function of order 0.
function bessel(/** @type {number} */ x) {
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-17; k++) sum += term *= (x / 2 / k) ** 2;
  return sum;
}

export class Resampler {
  /** @param {number} from @param {number} to samples per second */
  constructor(from, to) {
    this.from = from / divisor(from, to);
    this.to = to / divisor(from, to);
    const narrow = Math.min(1, to / from);
    const width = ((1 - PASSED) / 2) * narrow;
    // Half the length of the filter, in input samples (Kaiser's formula), even.
    this.half = 2 * Math.ceil((STOP_DECIBELS - 7.95) / (14.36 * width) / 4);
    this.phases = Math.min(this.to, MOST_PHASES);
    this.filters = makeFilters(this.half, this.phases, ((1 + PASSED) / 2) * narrow);
    // The input samples still in use; the first is the song's sample `first`.
    this.kept = new Float64Array(2 * this.half);
    this.count = this.half;
    this.first = -this.half;
    this.heard = 0;
    this.made = 0;
  }

  // Output sample n depends only on input before n·from/to + ahead.
  get ahead() {
    return this.half + 1;
  }

  // Return the output that the samples complete.
  push(/** @type {Float32Array} */ samples) {
    this.heard += samples.length;
    return this.#make(samples, Infinity);
  }

  // Return the rest, with zeros after the song's end.
  finish() {
    const zeros = new Float32Array(this.half + 1);
    return this.#make(zeros, Math.floor((this.heard * this.to) / this.from + 0.5));
  }

  #make(/** @type {Float32Array} */ samples, /** @type {number} */ most) {
    if (this.count + samples.length > this.kept.length) {
      const larger = new Float64Array(2 * (this.count + samples.length));
      larger.set(this.kept.subarray(0, this.count));
      this.kept = larger;
    }
    this.kept.set(samples, this.count);
    this.count += samples.length;
    const { from, to, half, phases, filters, kept } = this;
    const taps = 2 * half;
    const exact = phases === to;
    const end = this.first + this.count - half;
    const stop = Math.min(most, Math.max(this.made, Math.ceil((end * to) / from)));
    const out = new Float32Array(Math.max(0, stop - this.made));
    for (let i = 0; i < out.length; i++) {
      const place = (this.made + i) * from;
      const whole = Math.floor(place / to);
      const phase = exact ? place - whole * to : ((place - whole * to) / to) * phases;
      const row = Math.floor(phase);
      const base = whole - half + 1 - this.first;
      out[i] = product(filters, row * taps, kept, base, taps);
      if (!exact) {
        out[i] += (phase - row) * (product(filters, (row + 1) * taps, kept, base, taps) - out[i]);
      }
    }
    this.made += out.length;
    // Keep the input that the next output needs.
    const needed = Math.floor((this.made * from) / to) - half + 1 - this.first;
    const gone = Math.max(0, Math.min(needed, this.count));
    kept.copyWithin(0, gone, this.count);
    this.count -= gone;
    this.first += gone;
    return out;
  }
}

// Four sums at once keep the processor busy; four minutes of song take 2 · 10⁹ products.
/** @param {Float64Array} filter @param {number} at @param {Float64Array} kept @param {number} base
 * @param {number} taps a multiple of 4 */
function product(filter, at, kept, base, taps) {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (const end = at + taps; at < end; at += 4, base += 4) {
    a += filter[at] * kept[base];
    b += filter[at + 1] * kept[base + 1];
    c += filter[at + 2] * kept[base + 2];
    d += filter[at + 3] * kept[base + 3];
  }
  return a + b + (c + d);
}

// One row of coefficients per phase, and an extra row for interpolation after the last phase.
/** @param {number} half @param {number} phases @param {number} cutoff of Nyquist */
function makeFilters(half, phases, cutoff) {
  const filters = new Float64Array((phases + 1) * 2 * half);
  const whole = bessel(BETA);
  for (let phase = 0; phase <= phases; phase++) {
    const row = filters.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    for (let k = 0; k < row.length; k++) {
      const x = k - half + 1 - phase / phases;
      const inside = 1 - (x / half) ** 2;
      const sinc = x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff;
      row[k] = inside > 0 ? (sinc * bessel(BETA * Math.sqrt(inside))) / whole : 0;
    }
    // Normalise, so that a constant stays the same.
    const sum = row.reduce((total, value) => total + value, 0);
    for (let k = 0; k < row.length; k++) row[k] /= sum;
  }
  return filters;
}
