// What is going on: the songs, the one that is open, who answers it, and what plays.
import { Answers } from "./answers.js";
import { genreColours } from "./colours.js";
import { Mel } from "./mel.js";
import { Player } from "./player.js";
import { follow, Live, Song } from "./song.js";

/** @typedef {import("../engine/engine.js").Engine} Engine */
/** @typedef {import("../host.js").Host} Host */
/** @typedef {import("./answers.js").Network} Network */
/** @typedef {Omit<Network, "colours" | "sound">} Taught a network that people taught */
/** @typedef {"songs" | "song" | "answers" | "play" | "networks" | "ear"} What */

export class Session {
  /** @param {Engine} engine @param {Host} host
   * @param {{changed: (what: What) => void, announce: (text: string) => void,
   *   fail: (text: string) => void}} place */
  constructor(engine, host, place) {
    this.engine = engine;
    this.host = host;
    this.place = place;
    this.clips = host.clips.map((clip) => {
      const load = async () => new File([await host.asset(clip.asset)], clip.file);
      return new Song(clip.file, load, clip);
    });
    /** @type {Song[]} that people brought */
    this.songs = [];
    /** @type {Song | null} */
    this.current = null;
    // What a person chose; until then clips and people's own songs each have their network.
    this.chosen = "";
    this.second = "";
    /** @type {Network[]} that answer the open song */
    this.networks = [];
    /** @type {Map<string, Network>} */
    this.known = new Map();
    /** @type {Taught[]} */
    this.taught = [];
    this.player = new Player((what, text) => this.#played(what, text));
    this.opening = new AbortController();
    this.others = new AbortController();
  }

  get offers() {
    return [...this.host.networks, ...this.taught];
  }

  /** @param {string} name @returns {Promise<Network>} */
  async network(name) {
    const found = this.known.get(name);
    if (found) return found;
    const taught = this.taught.find((one) => one.name === name);
    const described = await this.engine.describe(taught?.asked ?? name);
    const { genres, trainingMusic, caution } = taught ?? described;
    const title = this.offers.find((offer) => offer.name === name)?.title ?? name;
    const network = {
      ...{ name, title, genres, trainingMusic, caution, sound: described.sound },
      colours: genreColours(genres),
      asked: taught?.asked ?? name,
      answer: taught?.answer,
    };
    this.known.set(name, network);
    return network;
  }

  // There is a new layer that people taught, or one has learnt more, or is gone.
  /** @param {Taught[]} taught */
  teach(taught) {
    this.place.changed("songs");
    if (taught.length === this.taught.length && taught.every((one) => this.taught.includes(one))) return;
    for (const { name } of [...this.taught, ...taught]) this.known.delete(name);
    this.taught = taught;
    const names = this.offers.map(({ name }) => name);
    if (!names.includes(this.chosen)) this.chosen = "";
    if (!names.includes(this.second)) this.second = "";
    this.place.changed("networks");
    this.#ask().catch(() => {});
  }

  /** @param {Song | null} song @returns {string} who answers it */
  networkFor(song) {
    if (this.chosen) return this.chosen;
    const [first] = this.host.networks;
    const forOwn = this.host.networks.find(({ name }) => name === "musicnn") ?? first;
    return song && !song.clip ? forOwn.name : first.name;
  }

  /** @param {string} name */
  async use(name) {
    await this.network(name);
    this.chosen = name;
    if (this.second === name) this.second = "";
    this.stopListening();
    this.place.changed("networks");
    this.#ask().catch(() => {});
  }

  /** @param {string} name "" for none */
  compare(name) {
    this.second = name;
    this.place.changed("networks");
    this.#ask().catch(() => {});
  }

  /**
   * Show a song; its answers come meanwhile.
   * @param {Song} song @param {{play?: boolean, network?: string}} how
   * @returns {Promise<Answers | null>} once it is answered whole
   */
  open(song, { play = false, network = "" } = {}) {
    this.stopListening();
    if (this.current !== song) {
      this.#interrupt();
      song.forget();
    }
    this.current = song;
    this.place.changed("song");
    this.player.open(async () => {
      const blob = await song.load();
      return this.engine.playable(blob).catch(() => blob);
    });
    if (play) this.player.play();
    return this.#ask(network);
  }

  /** @param {string} asked instead of the network that this song has */
  async #ask(asked = "") {
    const song = this.current;
    if (!song || song.live) return null;
    this.others.abort();
    const { signal } = this.opening;
    const name = asked || this.networkFor(song);
    const names = [name, ...(this.second && this.second !== name ? [this.second] : [])];
    const hearing = this.#hearAll(song, names, signal);
    hearing.then(
      () => this.#askOthers(),
      (/** @type {Error} */ error) => {
        if (error.name === "AbortError") return;
        song.error = error.message;
        if (!this.songs.includes(song)) this.place.fail(error.message);
        this.place.changed("songs");
        this.#askOthers();
      },
    );
    return hearing;
  }

  /** @param {Song} song @param {string[]} names @param {AbortSignal} signal */
  async #hearAll(song, names, signal) {
    const networks = await Promise.all(names.map((name) => this.network(name)));
    signal.throwIfAborted();
    this.networks = networks;
    song.error = "";
    this.place.changed("networks");
    const changed = () => this.place.changed("answers");
    const [first, second] = networks;
    const how = { signal, changed };
    const hearing = song.hear(this.engine, first, { ...how, picture: true });
    const both = [hearing, ...(second ? [song.hear(this.engine, second, how)] : [])];
    const [answers] = await Promise.all(both);
    this.place.changed("songs");
    return answers;
  }

  // Something else is more urgent than what the engine does.
  #interrupt() {
    this.opening.abort();
    this.others.abort();
    this.opening = new AbortController();
    this.current?.forget();
  }

  // Answer the songs of the list, one after the other, while nothing more urgent is asked.
  async #askOthers() {
    this.others.abort();
    this.others = new AbortController();
    const { signal } = this.others;
    const isOpen = (/** @type {Song} */ song) => {
      const name = this.networkFor(song);
      const answers = song.answers.get(name);
      const isOld = answers?.network !== (this.known.get(name) ?? answers?.network);
      return song !== this.current && !song.error && (!answers?.isWhole || isOld);
    };
    for (let song = this.songs.find(isOpen); song; song = this.songs.find(isOpen)) {
      try {
        await song.hear(this.engine, await this.network(this.networkFor(song)), { signal });
      } catch (error) {
        if (signal.aborted) return;
        song.error = /** @type {Error} */ (error).message;
      }
      if (song !== this.current) song.forget();
      this.place.changed("songs");
      if (signal.aborted) return;
    }
  }

  /** @param {File[]} files @returns {Song[]} the first of them plays */
  add(files) {
    const songs = files.map(Song.of);
    this.songs.push(...songs);
    this.place.changed("songs");
    if (songs.length) this.open(songs[0], { play: true }).catch(() => this.#skip(songs[0]));
    if (songs.length > 1) this.place.announce(`${songs.length} songs are in your list.`);
    return songs;
  }

  // The first of many may be no song at all.
  /** @param {Song} song */
  #skip(song) {
    if (this.current === song && song.error && !song.answers.size) this.next();
  }

  next() {
    const at = this.songs.indexOf(/** @type {Song} */ (this.current));
    const song = at < 0 ? null : this.songs.slice(at + 1).find(({ error }) => !error);
    if (song) this.open(song, { play: true }).catch(() => this.#skip(song));
    return song;
  }

  /** @param {Song} song */
  remove(song) {
    this.songs = this.songs.filter((other) => other !== song);
    this.place.changed("songs");
  }

  /** @param {"play" | "ended" | "seek" | "error"} what @param {string} text */
  #played(what, text = "") {
    if (what === "error") this.place.fail(text);
    if (what === "ended") this.next();
    this.place.changed("play");
  }

  get time() {
    const { current, player } = this;
    return current?.live ? current.live.seconds : player.time;
  }

  get seconds() {
    const { current, player } = this;
    if (!current) return 0;
    return current.live ? current.live.seconds : player.duration || current.seconds;
  }

  get isPlaying() {
    return Boolean(this.current?.live) || this.player.isWanted;
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.current || this.current.live) return;
    const most = this.seconds || Infinity;
    this.player.seek(Math.max(0, Math.min(seconds, most)));
  }

  toggle() {
    if (this.current?.live) this.stopListening();
    else if (this.player.isWanted) this.player.pause();
    else this.player.play();
  }

  // Listen to the microphone; what it heard becomes a song of the list.
  async listen() {
    this.player.close();
    this.stopListening();
    const when = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    const song = new Song(`Microphone ${when}.wav`, async () => new Blob());
    const network = await this.network(this.networkFor(song));
    const answers = new Answers(network);
    const mel = new Mel(network.sound);
    const live = new Live();
    const ear = await this.engine.microphone(network.asked, {
      onLevel: (level, seconds) => live.hear(level, seconds),
      onFrames: ({ frames }) => mel.add(frames),
      onKind: (kind) => (song.kind = kind),
      onSteps: (told) => {
        follow(answers, told);
        live.answered(told.steps[told.steps.length - 1].end);
      },
    });
    live.stop = ear.stop;
    this.#interrupt();
    Object.assign(song, { live, mel });
    song.answers.set(network.name, answers);
    this.current = song;
    this.networks = [network];
    this.place.changed("song");
    this.place.changed("ear");
  }

  async stopListening() {
    const song = this.current;
    if (!song?.live) return null;
    const { live } = song;
    song.live = null;
    song.mel = null;
    song.answers.clear();
    this.place.changed("ear");
    const file = new File([await live.stop()], song.name, { type: "audio/wav" });
    song.loading = Promise.resolve(file);
    this.songs.push(song);
    this.place.changed("songs");
    if (this.current === song) this.open(song).catch(() => {});
    return song;
  }
}
