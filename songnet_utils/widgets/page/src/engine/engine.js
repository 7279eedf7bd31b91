// The page's side of the engine: it asks the worker, which decodes songs and runs the networks.
import workerText from "text:worker";
import workletText from "text:worklet";

/** @typedef {import("../host.js").Host} Host */
/** @typedef {import("./onnx.js").Description} Description */
/** @typedef {import("./decode.js").Facts} Facts */
/** @typedef {import("./listening.js").Step} Step */
/** @typedef {{seconds: number, notes: string[]}} Heard */
/**
 * @typedef {object} Listener
 * @property {(facts: Facts) => void} [onFacts] called again when more is known
 * @property {(told: {first: number, n_mels: number, frames: Float32Array}) => void} [onFrames]
 * @property {(told: {first: number, steps: Step[], embeddings: Float32Array | null}) => void}
 *   [onSteps]
 * @property {(level: number, seconds: number) => void} [onLevel] of the microphone, peak of 1
 * @property {(kind: import("../teach/types").Kind) => void} [onKind] music or not; told again
 * @property {AbortSignal} [signal]
 */
/** @typedef {{resolve: (result: any) => void, reject: (error: Error) => void,
 *   tell: (told: any) => void}} Asked */

export class Engine {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.url = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    this.worker = new Worker(this.url);
    this.count = 0;
    this.hasEvents = false;
    /** @type {Map<number, Asked>} */
    this.asked = new Map();
    /** @type {Map<string, Promise<Description>>} */
    this.described = new Map();
    this.worker.onmessage = ({ data }) => this.#told(data);
    this.worker.onerror = ({ message }) => this.#fail(message ?? "cannot be started");
    host.asset("ort.wasm").then(
      (wasm) => this.#ask("setUp", { wasm }),
      (error) => this.#fail(error.message),
    );
  }

  /** @param {string} networkName @returns {Promise<Description>} */
  describe(networkName) {
    const found = this.described.get(networkName);
    if (found) return found;
    const load = async () => {
      const network = this.host.networks.find(({ name }) => name === networkName);
      if (!network) throw new Error(`${networkName}: there is no such network on this page`);
      const bytes = await this.host.asset(network.stream ?? network.asset);
      return this.#ask("network", { name: networkName, bytes });
    };
    const described = load();
    this.described.set(networkName, described);
    // Another try may succeed.
    described.catch(() => this.described.delete(networkName));
    return described;
  }

  /** @param {Blob} blob @param {string} networkName @param {Listener} listener
   * @returns {Promise<Heard>} */
  async listen(blob, networkName, listener = {}) {
    await this.describe(networkName);
    const name = blob instanceof File ? blob.name : "the sound";
    const { onFrames, onKind } = listener;
    if (onKind) this.#bringEvents();
    const asked = { blob, name, network: networkName, frames: !!onFrames, kinds: !!onKind };
    return this.#ask("listen", asked, {
      ...listener,
      decode: (/** @type {number} */ rate) => decodeWhole(blob, rate),
    });
  }

  /** @param {Blob} blob @param {AbortSignal} [signal]
   * @returns {Promise<Blob>} the song as a player plays it in step: an mp3 within an mp4 */
  playable(blob, signal) {
    return this.#ask("playable", { blob }, { signal });
  }

  /** @param {string} networkName @param {Listener} listener
   * @returns {Promise<{seconds: () => number, stop: () => Promise<Blob>}>} how long it has
   *   listened; the end, and the recording as a wav */
  async microphone(networkName, listener) {
    await this.describe(networkName);
    if (listener.onKind) this.#bringEvents();
    if (!navigator.mediaDevices) {
      throw new Error("A browser lends its microphone only to pages from https or this machine.");
    }
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    const context = new AudioContext({ latencyHint: "interactive" });
    // A page that is opened as a file may load no worklet from a Blob.
    const url = `data:text/javascript,${encodeURIComponent(workletText)}`;
    const close = () => {
      for (const track of stream.getTracks()) track.stop();
      if (context.state !== "closed") context.close();
    };
    try {
      await context.audioWorklet.addModule(url);
      listener.signal?.throwIfAborted();
      const node = new AudioWorkletNode(context, "listening", { numberOfOutputs: 0 });
      const { port1, port2 } = new MessageChannel();
      let begin = context.currentTime;
      node.port.onmessage = ({ data }) => (begin = data);
      // Straight to the worker: what the page draws does not delay it.
      node.port.postMessage(port1, [port1]);
      const kinds = !!listener.onKind;
      const asked = { port: port2, rate: context.sampleRate, network: networkName, kinds };
      const id = this.count + 1;
      const recording = this.#ask("microphone", asked, listener, [port2]);
      recording.catch(() => {}).then(close);
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
      return {
        seconds: () => context.currentTime - begin,
        stop: () => {
          close();
          this.worker.postMessage({ id, ask: "reply" });
          return recording;
        },
      };
    } catch (error) {
      close();
      throw error;
    }
  }

  close() {
    this.worker.terminate();
    URL.revokeObjectURL(this.url);
    this.#fail("was closed");
  }

  // What tells speech from music comes once it is needed; without it, nothing is told.
  #bringEvents() {
    if (this.hasEvents) return;
    this.hasEvents = true;
    const bring = this.host.asset("networks/aed.onnx").catch(() => null);
    bring.then((bytes) => this.#ask("events", { bytes }));
  }

  /** @param {string} ask @param {object} what @param {Listener & {decode?: Function}} listener
   * @param {Transferable[]} transfer @returns {Promise<any>} */
  #ask(ask, what, listener = {}, transfer = []) {
    const { signal } = listener;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.count;
    const { promise, resolve, reject } = Promise.withResolvers();
    const abort = () => {
      this.worker.postMessage({ id, ask: "abort" });
      this.asked.delete(id);
      reject(new DOMException("Another song was chosen.", "AbortError"));
    };
    signal?.addEventListener("abort", abort, { once: true });
    const tell = (/** @type {any} */ told) => {
      if (told.kind === "facts") listener.onFacts?.(told.facts);
      if (told.kind === "frames") listener.onFrames?.(told);
      if (told.kind === "steps") listener.onSteps?.(told);
      if (told.kind === "kind") listener.onKind?.(told.told);
      if (told.kind === "level") listener.onLevel?.(told.level, told.seconds);
      if (told.kind === "decode") {
        listener.decode?.(told.rate).then(
          (/** @type {import("./decode.js").Piece} */ piece) => {
            const moved = piece.channels.map(({ buffer }) => buffer);
            this.worker.postMessage({ id, ask: "reply", piece }, moved);
          },
          (/** @type {Error} */ { message }) =>
            this.worker.postMessage({ id, ask: "reply", error: message }),
        );
      }
    };
    this.asked.set(id, { resolve, reject, tell });
    this.worker.postMessage({ id, ask, ...what }, transfer);
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** @param {any} told */
  #told({ id, ...told }) {
    const asked = this.asked.get(id);
    if (!asked) return;
    if (told.kind === "done") asked.resolve(told.result);
    else if (told.kind === "error") asked.reject(errorOf(told));
    else return asked.tell(told);
    this.asked.delete(id);
  }

  // Nothing more comes from the worker.
  /** @param {string} why */
  #fail(why) {
    for (const { reject } of this.asked.values()) reject(new Error(`The engine ${why}`));
    this.asked.clear();
  }
}

/** @param {{name: string, message: string}} told */
function errorOf({ name, message }) {
  return name === "AbortError" ? new DOMException(message, name) : new Error(message);
}

// Without WebCodecs the page decodes a song whole, at the song's own rate.
/** @param {Blob} blob @param {number} rate @returns {Promise<import("./decode.js").Piece>} */
async function decodeWhole(blob, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, i) =>
    decoded.getChannelData(i).slice(),
  );
  return { channels, rate };
}
