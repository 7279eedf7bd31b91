// One network's answers for one song, step by step.

// The smallest positive number of a Float32Array replaces 0.
const log = (/** @type {number} */ p) => Math.log(Math.max(p, 2 ** -149));

export class Answers {
  steps = /** @type {Step[]} */ ([]);
  // Cumulative sums of the probabilities, for the mean up to any step.
  sums = /** @type {Float64Array[]} */ ([]);
  isWhole = false;

  constructor(/** @type {Network} */ network) {
    this.network = network;
    // A layer with your genres was fitted to the mean embeddings of songs. Its answer for a song is
    // the normalised geometric mean of the steps' probabilities, so their logarithms are summed.
    this.isTaught = !!network.answer;
  }

  add(/** @type {Step[]} */ steps) {
    for (const step of steps) {
      const before = this.sums.at(-1);
      const terms = Float64Array.from(step.probabilities, (p) => (this.isTaught ? log(p) : p));
      this.sums.push(terms.map((term, i) => term + (before?.[i] ?? 0)));
      this.steps.push(step);
    }
  }

  // The latest step that has ended by `seconds`; -1 if none has.
  endedBy(/** @type {number} */ seconds) {
    return this.steps.findLastIndex(({ end }) => end <= seconds);
  }

  // The mean of the steps up to this one: the answer for the song so far, or for the whole song.
  mean(/** @type {number} */ step = this.steps.length - 1) {
    const sums = this.sums[step];
    if (!sums) return null;
    const means = Array.from(sums, (sum) => sum / (step + 1));
    if (!this.isTaught) return means;
    const powers = means.map(Math.exp);
    const all = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / all);
  }

  // The time until which a step's answer is valid.
  // `seconds`: the song's duration.
  until(/** @type {number} */ step, /** @type {number} */ seconds) {
    const { steps } = this;
    const next = steps[step + 1];
    if (next) return next.end;
    if (this.isWhole) return Math.max(seconds, steps[step].end);
    return steps[step].end + (step ? steps[step].end - steps[step - 1].end : 0.4);
  }

  top(/** @type {number[] | Float32Array} */ probabilities) {
    const share = Math.max(...probabilities);
    const best = probabilities.indexOf(share);
    return { genre: this.network.genres[best], colour: this.network.colours[best], share };
  }
}

// Draw genre over time: each step is shown from its end to the end of the next step.
/** @param {Context} context @param {Answers} answers @param {Strip} strip
 * @param {number} seconds of the song */
export function paintGenres(context, answers, { at, from, to, top, bottom }, seconds) {
  const { steps, network } = answers;
  for (let k = Math.max(0, answers.endedBy(from)); k < steps.length && steps[k].end < to; k++) {
    const x = Math.round(at(Math.max(from, steps[k].end)));
    const right = Math.round(at(Math.min(to, answers.until(k, seconds))));
    if (right <= x) continue;
    let sum = 0;
    let y = top;
    steps[k].probabilities.forEach((p, genre) => {
      sum += p;
      const next = Math.round(top + (bottom - top) * Math.min(1, sum));
      context.fillStyle = network.colours[genre];
      context.fillRect(x, y, right - x, next - y);
      y = next;
    });
  }
}
