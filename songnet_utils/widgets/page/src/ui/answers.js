// What one network says of one song, step by step.

// The smallest number that a Float32Array holds stands for 0.
const log = (/** @type {number} */ p) => Math.log(Math.max(p, 2 ** -149));

export class Answers {
  steps = /** @type {Step[]} */ ([]);
  // Sums of the probabilities up to each step, for the mean up to any moment.
  sums = /** @type {Float64Array[]} */ ([]);
  isWhole = false;

  constructor(/** @type {Network} */ network) {
    this.network = network;
    // A layer that people taught was fitted to the mean embeddings of songs. What it says of one is
    // the normalised geometric mean of its steps' probabilities: their logarithms are added up.
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

  // The newest step that had ended by then; -1 where none had.
  endedBy(/** @type {number} */ seconds) {
    return this.steps.findLastIndex(({ end }) => end <= seconds);
  }

  // The mean of the steps up to this one: what is said of the song so far, or of all of it.
  mean(/** @type {number} */ step = this.steps.length - 1) {
    const sums = this.sums[step];
    if (!sums) return null;
    const means = Array.from(sums, (sum) => sum / (step + 1));
    if (!this.isTaught) return means;
    const powers = means.map(Math.exp);
    const all = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / all);
  }

  // How long a step's answer stands.
  // `seconds`: of the song.
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

// Draws genre over time: each step stands from the moment it is known until the next one is.
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
