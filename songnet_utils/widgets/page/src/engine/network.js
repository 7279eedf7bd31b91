// Networks in ONNX Runtime, and the stepper that asks them for one step after the other.
import * as ort from "onnxruntime-web/wasm";
import { joined } from "./frames.js";

// The most frames between the first and the last step of one request. More would delay the start
// of a new song; fewer cost more, because neighbouring requests compute the same frames.
const MOST_FRAMES = 256;

export function setUp(/** @type {Uint8Array} */ wasm) {
  Object.assign(ort.env.wasm, { wasmBinary: wasm, numThreads: 1, proxy: false });
}

// Log errors only, because the runtime would warn about inputs with a default.
const load = (/** @type {Uint8Array} */ bytes) =>
  ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });

// Load the network that recognises sound events.
/** @param {Uint8Array} bytes @returns {Promise<AskEvents>} */
export async function loadEvents(bytes) {
  const session = await load(bytes);
  return async (samples) => {
    const tensor = new ort.Tensor("float32", samples, [1, samples.length]);
    return /** @type {Float32Array} */ ((await session.run({ samples: tensor })).events.data);
  };
}

export class Network {
  /** @param {NetworkOffer} offer @param {Uint8Array} bytes @param {Promise<unknown>} runtime */
  constructor({ sound, field, genres }, bytes, runtime) {
    this.sound = sound;
    this.field = field;
    this.genres = genres.length;
    this.session = runtime.then(() => load(bytes));
    // The first song reports the error.
    this.session.catch(() => {});
  }
}

export class Stepper {
  // The first request is small, for an early answer; later ones grow.
  size = 1;
  steps = 0;
  // The frames still in use; the first is frame `first`.
  frames = new Float32Array(0);
  first = 0;
  states = /** @type {Record<string, ort.Tensor> | null} */ (null);

  /** @param {Network} network @param {boolean} live answer each step at once */
  constructor(network, live) {
    const { stride, past } = network.field;
    this.network = network;
    this.most = live ? 1 : Math.max(1, Math.floor(MOST_FRAMES / stride));
    // The steps before a request's first that it computes and discards.
    this.early = Math.max(0, Math.ceil(past / stride));
  }

  // Whether a step depends on the song from its beginning.
  get remembers() {
    return Object.keys(this.states ?? {}).length > 0;
  }

  push(/** @type {Float32Array} */ frames) {
    this.frames = joined(this.frames, frames);
  }

  // Null if frames for the next request are missing; at the end, it may have fewer steps.
  async next(/** @type {boolean} */ isEnd) {
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

  /** @param {number} count @returns {Promise<NetworkAnswer>} */
  async #ask(count) {
    const session = await this.network.session;
    const { sound, field } = this.network;
    const first = this.steps;
    const early = Math.min(this.early, first);
    const from = (field.stride * (first - early) - this.first) * sound.n_mels;
    const rows = field.stride * (early + count - 1) + field.size;
    const part = this.frames.slice(from, from + rows * sound.n_mels);
    const log_mel = new ort.Tensor("float32", part, [1, rows, sound.n_mels]);
    this.states ??= zeros(session);
    const told = await session.run({ log_mel, ...this.states });
    for (const name in this.states) this.states[name] = told[`${name}_next`];
    const rowsOf = (/** @type {ort.Tensor} */ { data, dims }) =>
      /** @type {Float32Array} */ (data).slice(early * dims[2], (early + count) * dims[2]);
    this.steps += count;
    const embeddings = told.embedding ? rowsOf(told.embedding) : null;
    return { first, count, probabilities: rowsOf(told.genre_over_time), embeddings };
  }
}

// The states of a recurrent network before the song: zeros.
function zeros(/** @type {ort.InferenceSession} */ session) {
  const states = /** @type {Record<string, ort.Tensor>} */ ({});
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !input.name.startsWith("state_")) continue;
    const shape = input.shape.map(Number);
    const size = shape.reduce((product, length) => product * length, 1);
    states[input.name] = new ort.Tensor("float32", new Float32Array(size), shape);
  }
  return states;
}
