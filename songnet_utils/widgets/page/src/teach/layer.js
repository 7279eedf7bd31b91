// A last layer on a network's embedding: multinomial logistic regression with an L2 penalty on
// standardised features, as scikit-learn's StandardScaler and LogisticRegression(C=1) fit it.

// The fit has converged when no partial derivative exceeds this.
const TOLERANCE = 1e-8;
const MOST_ITERATIONS = 2000;
// The steps that L-BFGS remembers.
const MEMORY = 12;

/** @param {Pick<LearntSong, "mean" | "genre">[]} songs of two genres or more @returns {Layer} */
export function fit(songs) {
  const genres = [...new Set(songs.map(({ genre }) => genre))].sort();
  const width = songs[0].mean.length;
  const { means, scales } = standard(songs.map(({ mean }) => mean));
  // The last number in a row is 1; its weight is the bias, which has no penalty.
  const rows = songs.map(({ mean }) =>
    Float64Array.from([...mean.map((x, j) => (x - means[j]) / scales[j]), 1]),
  );
  // For two genres, scikit-learn has one row of weights, and half the penalty for the same answers.
  const penalty = genres.length === 2 ? 2 : 1;
  const size = width + 1;
  const best = minimise(genres.length * size, (at, slope) => {
    const penalised = at.map((weight, j) => (j % size < width ? penalty * weight : 0));
    slope.set(penalised);
    let loss = dot(penalised, at) / 2;
    rows.forEach((row, i) => {
      const chances = softmax(genres.map((_, k) => dot(row, at, k * size)));
      const truth = genres.indexOf(songs[i].genre);
      loss -= Math.log(Math.max(chances[truth], Number.MIN_VALUE));
      chances.forEach((chance, k) => add(slope, chance - (k === truth ? 1 : 0), row, k * size));
    });
    return loss;
  });
  // The standardisation becomes part of the layer.
  const weights = genres.map((_, k) => scales.map((scale, j) => best[k * size + j] / scale));
  const biases = weights.map((some, k) => best[k * size + width] - dot(some, means));
  return { genres, weights, biases };
}

/** @param {Layer} layer @param {ArrayLike<number>} embedding of a step, or the mean of a song's */
export function answer({ weights, biases }, embedding) {
  return Float32Array.from(softmax(weights.map((some, k) => biases[k] + dot(some, embedding))));
}

/** @param {Float32Array} rows one after the other @param {number} width @returns their mean */
export function meanOf(rows, width) {
  const mean = new Float64Array(width);
  rows.forEach((value, i) => (mean[i % width] += (value * width) / rows.length));
  return mean;
}

/** @param {Float32Array | Float64Array} probabilities @param {string[]} genres */
export const likeliest = (probabilities, genres) =>
  genres[probabilities.indexOf(Math.max(...probabilities))];

function standard(/** @type {Float64Array[]} */ rows) {
  const means = new Float64Array(rows[0].length);
  const variances = new Float64Array(rows[0].length);
  for (const row of rows) add(means, 1 / rows.length, row);
  for (const row of rows) add(variances, 1 / rows.length, row.map((x, j) => (x - means[j]) ** 2));
  // Features that are constant over the songs are not scaled.
  const scales = variances.map((variance, j) =>
    Math.sqrt(variance) > 1e-9 * (1 + Math.abs(means[j])) ? Math.sqrt(variance) : 1,
  );
  return { means, scales };
}

/** @param {Float64Array} row @param {ArrayLike<number>} other @param {number} from */
function dot(row, other, from = 0) {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j] * other[from + j];
  return sum;
}

/** @param {Float64Array} to @param {number} times @param {Float64Array} row @param {number} from */
function add(to, times, row, from = 0) {
  for (let j = 0; j < row.length; j++) to[from + j] += times * row[j];
}

function softmax(/** @type {number[]} */ logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

// L-BFGS from zero (Nocedal & Wright, Numerical Optimization, algorithms 7.4 and 7.5).
/** @param {number} size @param {(at: Float64Array, slope: Float64Array) => number} loss */
function minimise(size, loss) {
  let [at, slope] = [new Float64Array(size), new Float64Array(size)];
  let value = loss(at, slope);
  /** @type {{moved: Float64Array, turned: Float64Array, curve: number}[]} the latest first */
  const past = [];
  for (let i = 0; i < MOST_ITERATIONS && slope.some((x) => Math.abs(x) > TOLERANCE); i++) {
    const way = slope.map((x) => -x);
    const shares = past.map(({ moved, turned, curve }) => {
      const share = dot(moved, way) / curve;
      add(way, -share, turned);
      return share;
    });
    const [last] = past;
    const scale = last ? last.curve / dot(last.turned, last.turned) : 1 / Math.sqrt(dot(way, way));
    way.forEach((x, j) => (way[j] = x * scale));
    past.toReversed().forEach(({ moved, turned, curve }, j) => {
      add(way, shares[past.length - 1 - j] - dot(turned, way) / curve, moved);
    });
    // Halve the step until the loss decreases enough.
    const turned = new Float64Array(size);
    const fall = 1e-4 * dot(slope, way);
    for (let length = 1; ; length /= 2) {
      const moved = way.map((x) => length * x);
      const next = at.map((x, j) => x + moved[j]);
      const nextValue = loss(next, turned);
      if (length < 1e-9) return at;
      if (nextValue > value + length * fall) continue;
      const nextSlope = turned.slice();
      add(turned, -1, slope);
      past.unshift({ moved, turned, curve: dot(moved, turned) });
      [at, slope, value] = [next, nextSlope, nextValue];
      break;
    }
    past.splice(MEMORY);
  }
  return at;
}
