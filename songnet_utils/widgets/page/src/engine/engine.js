// The engine in the page: it asks the worker, which decodes songs and runs the networks.
import workerText from "text:worker";
import workletText from "text:worklet";

export class Engine {
  count = 0;
  hasEvents = false;
  asked = /** @type {Map<number, Asked>} */ (new Map());
  loaded = /** @type {Map<string, Promise<unknown>>} */ (new Map());

  constructor(/** @type {Host} */ host) {
    this.host = host;
    this.url = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    this.worker = new Worker(this.url);
    this.worker.onmessage = ({ data }) => this.#told(data);
    this.worker.onerror = ({ message }) => this.#fail(message ?? "cannot be started");
    host.asset("ort.wasm").then(
      (wasm) => this.#ask("setUp", { wasm }),
      (error) => this.#fail(error.message),
    );
  }

  // Hand a network to the worker.
  load(/** @type {string} */ networkName) {
    const load = async () => {
      const network = this.host.networks.find(({ name }) => name === networkName);
      if (!network) throw new Error(`${networkName}: this page has no such network`);
      const bytes = await this.host.asset(network.asset);
      return this.#ask("network", { network, bytes });
    };
    const loaded = this.loaded.get(networkName) ?? load();
    this.loaded.set(networkName, loaded);
    // Another try may succeed.
    loaded.catch(() => this.loaded.delete(networkName));
    return loaded;
  }

  /** @param {Blob} blob @param {string} network @param {Listener} listener
   * @returns {Promise<Heard>} */
  async listen(blob, network, listener = {}) {
    await this.load(network);
    const name = blob instanceof File ? blob.name : "the sound";
    const [frames, kinds] = [!!listener.onFrames, !!listener.onKind];
    if (kinds) this.#bringEvents();
    return this.#ask("listen", { blob, name, network, frames, kinds }, listener);
  }

  /** @param {Blob} blob @param {AbortSignal} [signal]
   * @returns {Promise<Blob>} the song in a form that a player can seek: an mp3 within an mp4 */
  playable(blob, signal) {
    return this.#ask("playable", { blob }, { signal });
  }

  // Return the time since the start, and a function that stops and returns the recording as a wav.
  /** @param {string} network @param {Listener} listener */
  async microphone(network, listener) {
    await this.load(network);
    const kinds = !!listener.onKind;
    if (kinds) this.#bringEvents();
    if (!navigator.mediaDevices) {
      throw new Error("Browsers allow the microphone only for pages from https or this machine.");
    }
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    const context = new AudioContext({ latencyHint: "interactive" });
    const close = () => {
      for (const track of stream.getTracks()) track.stop();
      if (context.state !== "closed") context.close();
    };
    try {
      // A page opened as a file may not load a worklet from a Blob; the app may not from data.
      const isFile = location.protocol === "file:";
      const code = new Blob([workletText], { type: "text/javascript" });
      const data = `data:text/javascript,${encodeURIComponent(workletText)}`;
      await context.audioWorklet.addModule(isFile ? data : URL.createObjectURL(code));
      listener.signal?.throwIfAborted();
      const node = new AudioWorkletNode(context, "listening", { numberOfOutputs: 0 });
      const { port1, port2 } = new MessageChannel();
      let begin = context.currentTime;
      node.port.onmessage = ({ data }) => (begin = data);
      // Send samples straight to the worker, so that drawing does not delay them.
      node.port.postMessage(port1, [port1]);
      const asked = { port: port2, rate: context.sampleRate, network, kinds };
      const id = this.count + 1;
      /** @type {Promise<Blob>} */
      const recording = this.#ask("microphone", asked, listener, [port2]);
      recording.catch(() => {}).then(close);
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
      const stop = () => {
        close();
        this.worker.postMessage({ id, ask: "reply" });
        return recording;
      };
      return { seconds: () => context.currentTime - begin, stop };
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

  // Load the network for speech and music on its first use; without it, songs have no kind.
  #bringEvents() {
    if (this.hasEvents) return;
    this.hasEvents = true;
    const bring = this.host.asset("networks/aed.onnx").catch(() => null);
    bring.then((bytes) => this.#ask("events", { bytes }));
  }

  /** @param {string} ask @param {object} what @param {Listener} listener
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
    this.asked.set(id, { what, listener, resolve, reject });
    this.worker.postMessage({ id, ask, ...what }, transfer);
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  #told(/** @type {any} */ { id, ...told }) {
    const asked = this.asked.get(id);
    if (!asked) return;
    const { kind, message, name } = told;
    const { what, listener, resolve, reject } = asked;
    if (kind === "facts") listener.onFacts?.(told.facts);
    if (kind === "frames") listener.onFrames?.(told);
    if (kind === "steps") listener.onSteps?.(told);
    if (kind === "kind") listener.onKind?.(told.told);
    if (kind === "level") listener.onLevel?.(told.level, told.seconds);
    if (kind === "decode") this.#decode(id, what.blob, told.rate);
    if (kind === "done") resolve(told.result);
    if (kind === "error") {
      reject(name === "AbortError" ? new DOMException(message, name) : new Error(message));
    }
    if (kind === "done" || kind === "error") this.asked.delete(id);
  }

  // Without WebCodecs, the page decodes a song whole, at the song's own rate.
  /** @param {number} id @param {Blob} blob @param {number} rate */
  async #decode(id, blob, rate) {
    try {
      const context = new OfflineAudioContext(1, 1, rate);
      const decoded = await context.decodeAudioData(await blob.arrayBuffer());
      const numbers = [...Array(decoded.numberOfChannels).keys()];
      const channels = numbers.map((number) => decoded.getChannelData(number));
      this.worker.postMessage({ id, ask: "reply", piece: { channels, rate } });
    } catch (error) {
      this.worker.postMessage({ id, ask: "reply", error: /** @type {Error} */ (error).message });
    }
  }

  // Reject all requests, because the worker will not answer.
  #fail(/** @type {string} */ why) {
    for (const { reject } of this.asked.values()) reject(new Error(`The engine ${why}`));
    this.asked.clear();
  }
}
