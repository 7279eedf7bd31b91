// Networks in ONNX Runtime, and what asks them for one step after the other.
import * as ort from "onnxruntime-web/wasm";
import { describe } from "./onnx.js";

/** @typedef {{first: number, count: number, probabilities: Float32Array,
 *   embeddings: Float32Array | null}} Answer */

// The most frames between the first and the last step of one question: more take longer before a
// new song can begin, fewer cost more, because the frames of a step are computed each time.
const MOST_FRAMES = 256;

/** @param {Uint8Array} wasm */
export function setUp(wasm) {
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
}

// A network that says which sounds there are: of samples at 16 kHz, three numbers a frame.
/** @param {Uint8Array} bytes */
export async function loadEvents(bytes) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return async (/** @type {Float32Array} */ samples) => {
    const tensor = new ort.Tensor("float32", samples, [1, samples.length]);
    return /** @type {Float32Array} */ ((await session.run({ samples: tensor })).events.data);
  };
}

export class Network {
  /** @param {Uint8Array} bytes @param {string} name @param {Promise<unknown>} runtime */
  constructor(bytes, name, runtime) {
    this.description = describe(bytes, name);
    this.sound = this.description.sound;
    this.field = this.description.field;
    this.genres = this.description.genres.length;
    this.session = runtime.then(() =>
      ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }),
    );
    // What is wrong is said to the first song that is listened to.
    this.session.catch(() => {});
  }
}

export class Stepper {
  /** @param {Network} network @param {boolean} live answer each step at once */
  constructor(network, live) {
    const { stride, past } = network.field;
    this.network = network;
    this.most = live ? 1 : Math.max(1, Math.floor(MOST_FRAMES / stride));
    // The first question is small, for an early answer; the next ones grow.
    this.size = 1;
    // Steps before a question's first that are computed with it and thrown away.
    this.early = Math.max(0, Math.ceil(past / stride));
    this.steps = 0;
    // The frames that are still needed; the first is frame `first`.
    this.frames = new Float32Array(0);
    this.first = 0;
    /** @type {Record<string, ort.Tensor> | null} */
    this.states = null;
  }

  // Whether a step depends on the song from its beginning.
  get remembers() {
    return Object.keys(this.states ?? {}).length > 0;
  }

  /** @param {Float32Array} frames */
  push(frames) {
    const all = new Float32Array(this.frames.length + frames.length);
    all.set(this.frames);
    all.set(frames, this.frames.length);
    this.frames = all;
  }

  /** @param {boolean} isEnd answer the last steps, too, be they few
   * @returns {Promise<Answer | null>} null where frames are missing for the next question */
  async next(isEnd) {
    const { sound, field } = this.network;
    const there = this.first + this.frames.length / sound.n_mels;
    const decided = Math.max(0, Math.floor((there - field.size) / field.stride) + 1);
    const count = Math.min(this.size, decided - this.steps);
    if (count < 1 || (count < this.size && !isEnd)) return null;
    this.size = Math.min(this.most, 2 * this.size);
    const answer = await this.#ask(count);
    const gone = Math.max(0, field.stride * (this.steps - this.early) - this.first);
    this.frames = this.frames.slice(gone * sound.n_mels);
    this.first += gone;
    return answer;
  }

  /** @param {number} count @returns {Promise<Answer>} */
  async #ask(count) {
    const session = await this.network.session;
    const { sound, field, genres } = this.network;
    const first = this.steps;
    const early = Math.min(this.early, first);
    const from = (field.stride * (first - early) - this.first) * sound.n_mels;
    const rows = field.stride * (early + count - 1) + field.size;
    const part = this.frames.slice(from, from + rows * sound.n_mels);
    const log_mel = new ort.Tensor("float32", part, [1, rows, sound.n_mels]);
    this.states ??= zeros(session);
    const told = await session.run({ log_mel, ...this.states });
    for (const name in this.states) this.states[name] = told[`${name}_next`];
    /** @param {string} name @param {number} width */
    const rowsOf = (name, width) =>
      /** @type {Float32Array} */ (told[name].data).slice(early * width, (early + count) * width);
    const width = told.embedding?.dims.at(-1) ?? 0;
    this.steps += count;
    return {
      first,
      count,
      probabilities: rowsOf("genre_over_time", genres),
      embeddings: told.embedding ? rowsOf("embedding", width) : null,
    };
  }
}

// What a recurrent network remembers before the song: nothing.
/** @param {ort.InferenceSession} session */
function zeros(session) {
  /** @type {Record<string, ort.Tensor>} */
  const states = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !input.name.startsWith("state_")) continue;
    const shape = input.shape.map(Number);
    const size = shape.reduce((product, length) => product * length, 1);
    states[input.name] = new ort.Tensor("float32", new Float32Array(size), shape);
  }
  return states;
}
