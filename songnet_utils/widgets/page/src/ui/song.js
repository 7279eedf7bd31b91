// A song: its sound, its tags, and the answers of networks.
import { Answers } from "./answers.js";
import { Mel } from "./mel.js";

let count = 0;

export class Song {
  loading = /** @type {Promise<Blob> | null} */ (null);
  cover = /** @type {Blob | null} */ (null);
  seconds = 0;
  notes = /** @type {string[]} */ ([]);
  error = "";
  // Music or not.
  kind = /** @type {Kind | null} */ (null);
  // Your label.
  label = "";
  // By network.
  answers = /** @type {Map<string, Answers>} */ (new Map());
  // The engine's passes through the song, by network.
  hearings = /** @type {Map<string, Hearing>} */ (new Map());
  mel = /** @type {Mel | null} */ (null);
  // While a microphone is open.
  live = /** @type {Live | null} */ (null);

  /** @param {string} name of its file @param {() => Promise<Blob>} load @param {Clip} [clip] */
  constructor(name, load, clip) {
    // Ids sort in the order of arrival.
    const number = String(count++).padStart(6, "0");
    this.id = `${Date.now().toString(36)}-${number}-${Math.random().toString(36).slice(2)}`;
    this.name = name;
    this.load = () => (this.loading ??= load());
    this.clip = clip ?? null;
    this.title = clip?.title ?? name.replace(/\.[^.]+$/, "");
    this.artist = clip?.artist ?? "";
  }

  // Process the song; return its answers, which grow until then, when they are complete.
  /** @param {Engine} engine @param {Network} network @param {How} how */
  async hear(engine, network, how = {}) {
    const found = this.answers.get(network.name);
    // After a change of labels, your layer is another network of the same name.
    const isWhole = found?.isWhole && found.network === network;
    if (isWhole && (!how.picture || this.mel)) return found;
    // The picture needs the frames, which were not stored.
    const known = how.picture && !this.mel ? null : this.hearings.get(network.asked);
    const hearing = known ?? this.#listen(engine, network, how);
    const answers = isWhole ? found : new Answers(network);
    if (!isWhole) {
      for (const told of hearing.told) follow(answers, told);
      hearing.followers.push(answers);
      this.answers.set(network.name, answers);
    }
    try {
      const { seconds, notes } = await hearing.done;
      Object.assign(this, { seconds, notes });
    } catch (error) {
      if (!isWhole && this.answers.get(network.name) === answers) this.answers.delete(network.name);
      throw error;
    }
    answers.isWhole = true;
    return answers;
  }

  /** @param {Engine} engine @param {Network} network @param {How} how */
  #listen(engine, { asked, sound }, { signal, picture, changed = () => {} }) {
    const mel = picture && !this.mel ? new Mel(sound) : null;
    if (mel) this.mel = mel;
    /** @type {Hearing} */
    const hearing = { told: [], followers: [], isWhole: false, done: new Promise(() => {}) };
    const listen = async () => {
      const blob = await this.load();
      return engine.listen(blob, asked, {
        signal,
        onFacts: (facts) => (this.#learn(facts), changed()),
        onKind: (kind) => (this.kind = kind),
        onFrames: mel ? ({ frames }) => mel.add(frames) : undefined,
        onSteps: (told) => {
          hearing.told.push(told);
          for (const answers of hearing.followers) follow(answers, told);
          changed();
        },
      });
    };
    hearing.done = listen();
    hearing.done.then(() => (hearing.isWhole = true), () => {
      if (this.mel === mel) this.mel = null;
      if (this.hearings.get(asked) === hearing) this.hearings.delete(asked);
    });
    this.hearings.set(asked, hearing);
    return hearing;
  }

  // `steps`: from an earlier visit.
  restore(/** @type {Network} */ network, /** @type {Step[]} */ steps) {
    const answers = new Answers(network);
    answers.add(steps);
    answers.isWhole = true;
    this.answers.set(network.name, answers);
  }

  // Drop data that only an open song needs. Keep complete passes: networks with your genres answer
  // from them, and labels need them.
  forget() {
    this.mel = null;
    for (const [asked, { isWhole }] of this.hearings) if (!isWhole) this.hearings.delete(asked);
  }

  #learn(/** @type {Facts} */ { seconds, title, artist, cover, notes }) {
    if (seconds) this.seconds = seconds;
    if (!this.clip) {
      this.title = title ?? this.title;
      this.artist = artist ?? this.artist;
    }
    this.cover ??= cover;
    this.notes = notes;
  }
}

/** @param {Answers} answers @param {SomeSteps} told */
export function follow(answers, { steps, embeddings }) {
  const { answer } = answers.network;
  if (!answer) return answers.add(steps);
  if (!embeddings) return;
  const width = embeddings.length / steps.length;
  const at = (/** @type {number} */ i) => embeddings.subarray(i * width, (i + 1) * width);
  answers.add(steps.map((step, i) => ({ ...step, probabilities: answer(at(i)) })));
}

// The clock of an open microphone, and the delay of its answers.
export class Live {
  begun = Infinity;
  level = 0;
  delays = /** @type {number[]} */ ([]);
  stop = async () => new Blob();

  // `seconds`: of sound so far.
  hear(/** @type {number} */ level, /** @type {number} */ seconds) {
    this.level = Math.max(level, 0.8 * this.level);
    // The block with the smallest delay gives the best estimate of the start.
    this.begun = Math.min(this.begun, performance.now() / 1000 - seconds);
  }

  get seconds() {
    return this.begun === Infinity ? 0 : performance.now() / 1000 - this.begun;
  }

  // `end`: the end of the step that was just answered.
  answered(/** @type {number} */ end) {
    this.delays.push(this.seconds - end);
    if (this.delays.length > 31) this.delays.shift();
  }

  // The median delay of the latest answers, in seconds.
  get delay() {
    const { delays } = this;
    return delays.length ? delays.toSorted((a, b) => a - b)[delays.length >> 1] : null;
  }
}
