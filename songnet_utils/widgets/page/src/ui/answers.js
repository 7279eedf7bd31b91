// What one network says of one song, step by step.

/** @import {Context, Network, Step, Strip} from "./types" */

export class Answers {
  constructor(/** @type {Network} */ network) {
    this.network = network;
    /** @type {Step[]} */
    this.steps = [];
    // Sums of the probabilities up to each step, for the mean up to any moment.
    /** @type {Float64Array[]} */
    this.sums = [];
    this.isWhole = false;
  }

  add(/** @type {Step[]} */ steps) {
    for (const step of steps) {
      const before = this.sums.at(-1);
      this.sums.push(Float64Array.from(step.probabilities, (p, i) => p + (before?.[i] ?? 0)));
      this.steps.push(step);
    }
  }

  // The newest step that had ended by then; -1 where none had.
  endedBy(/** @type {number} */ seconds) {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle].end <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // The mean of the steps up to this one: what is said of the song so far, or of all of it.
  mean(/** @type {number} */ step = this.steps.length - 1) {
    const sums = this.sums[step];
    return sums ? Array.from(sums, (sum) => sum / (step + 1)) : null;
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

  top(/** @type {ArrayLike<number>} */ probabilities) {
    let best = 0;
    for (let i = 1; i < probabilities.length; i++) {
      if (probabilities[i] > probabilities[best]) best = i;
    }
    const { genres, colours } = this.network;
    return { genre: genres[best], colour: colours[best], share: probabilities[best] };
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
