// The state of the page: the songs, the open one, its networks and its player.
import { Answers } from "./answers.js";
import { genreColours } from "./colours.js";
import { Mel } from "./mel.js";
import { Player } from "./player.js";
import { follow, Live, Song } from "./song.js";

export class Session {
  // Your songs.
  songs = /** @type {Song[]} */ ([]);
  current = /** @type {Song | null} */ (null);
  // The network that you chose; until then, clips and your own songs have one each.
  chosen = "";
  second = "";
  // The networks for the open song, and those with your genres.
  networks = /** @type {Network[]} */ ([]);
  taught = /** @type {Network[]} */ ([]);
  opening = new AbortController();
  others = new AbortController();

  /** @param {Engine} engine @param {Host} host @param {Place} place */
  constructor(engine, host, place) {
    this.engine = engine;
    this.host = host;
    this.place = place;
    this.clips = host.clips.map((clip) => {
      const load = async () => new File([await host.asset(clip.asset)], clip.file);
      return new Song(clip.file, load, clip);
    });
    this.own = host.networks.map((one) => {
      return { ...one, asked: one.name, colours: genreColours(one.genres) };
    });
    this.player = new Player({
      changed: () => place.changed("play"),
      ended: () => this.next(),
      fail: place.fail,
    });
  }

  /** @returns {Network[]} */
  get offers() {
    return [...this.own, ...this.taught];
  }

  network(/** @type {string} */ name) {
    const found = this.offers.find((one) => one.name === name);
    if (!found) throw new Error(`${name}: this page has no such network`);
    return found;
  }

  // A layer with your genres is new, has changed or is gone.
  teach(/** @type {Taught[]} */ taught) {
    this.place.changed("songs");
    const answers = this.taught.map(({ answer }) => answer);
    const isNew = taught.some(({ answer }) => !answers.includes(answer));
    if (!isNew && taught.length === this.taught.length) return;
    this.taught = taught.map((one) => {
      return { ...one, colours: genreColours(one.genres), sound: this.network(one.asked).sound };
    });
    const names = this.offers.map(({ name }) => name);
    if (!names.includes(this.chosen)) this.chosen = "";
    if (!names.includes(this.second)) this.second = "";
    this.#askAgain();
  }

  // Ask other networks.
  #askAgain() {
    this.place.changed("networks");
    this.#ask().catch(() => {});
  }

  networkFor(/** @type {Song | null} */ song) {
    if (this.chosen) return this.chosen;
    const [first] = this.host.networks;
    const forOwn = this.host.networks.find(({ name }) => name === "musicnn") ?? first;
    return song && !song.clip ? forOwn.name : first.name;
  }

  async use(/** @type {string} */ name) {
    this.network(name);
    this.chosen = name;
    if (this.second === name) this.second = "";
    this.stopListening();
    this.#askAgain();
  }

  // `name`: "" for no network.
  compare(/** @type {string} */ name) {
    this.second = name;
    this.#askAgain();
  }

  // Show a song; return its answers when they are complete.
  open(/** @type {Song} */ song, { play = false, network = "" } = {}) {
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

  // `asked`: a network to use instead of the song's own.
  async #ask(/** @type {string} */ asked = "") {
    const song = this.current;
    if (!song || song.live) return null;
    this.others.abort();
    const { signal } = this.opening;
    const name = asked || this.networkFor(song);
    const names = [name, ...(this.second && this.second !== name ? [this.second] : [])];
    try {
      const networks = names.map((one) => this.network(one));
      this.networks = networks;
      song.error = "";
      this.place.changed("networks");
      const how = { signal, changed: () => this.place.changed("answers") };
      const hearing = networks.map((one, i) => {
        return song.hear(this.engine, one, { ...how, picture: !i });
      });
      const [answers] = await Promise.all(hearing);
      return answers;
    } catch (error) {
      const { name: kind, message } = /** @type {Error} */ (error);
      if (kind !== "AbortError") song.error = message;
      if (song.error && !this.songs.includes(song)) this.place.fail(message);
      throw error;
    } finally {
      this.place.changed("songs");
      if (!signal.aborted) this.#askOthers();
    }
  }

  // Stop the engine for something more urgent.
  #interrupt() {
    this.opening.abort();
    this.others.abort();
    this.opening = new AbortController();
    this.current?.forget();
  }

  // Process the songs of the list, one by one, while nothing is more urgent.
  async #askOthers() {
    this.others.abort();
    this.others = new AbortController();
    const { signal } = this.others;
    const isOpen = (/** @type {Song} */ song) => {
      const name = this.networkFor(song);
      const answers = song.answers.get(name);
      const isOld = answers?.network !== this.network(name);
      return song !== this.current && !song.error && (!answers?.isWhole || isOld);
    };
    for (let song = this.songs.find(isOpen); song; song = this.songs.find(isOpen)) {
      try {
        await song.hear(this.engine, this.network(this.networkFor(song)), { signal });
      } catch (error) {
        if (signal.aborted) return;
        const { name, message } = /** @type {Error} */ (error);
        // An interruption: process the song again.
        if (name === "AbortError") continue;
        song.error = message;
      }
      if (song !== this.current) song.forget();
      this.place.changed("songs");
      if (signal.aborted) return;
    }
  }

  add(/** @type {File[]} */ files) {
    const songs = files.map((file) => new Song(file.name, async () => file));
    this.songs.push(...songs);
    this.place.changed("songs");
    if (songs.length) this.play(songs[0]);
    if (songs.length > 1) this.place.announce(`Added ${songs.length} songs to your list.`);
  }

  // Play a song of the list; if it cannot be read, play the next one.
  play(/** @type {Song} */ song) {
    this.open(song, { play: true }).catch(() => {
      if (this.current === song && song.error && !song.answers.size) this.next();
    });
  }

  next() {
    const at = this.songs.findIndex((song) => song === this.current);
    const song = at < 0 ? null : this.songs.slice(at + 1).find(({ error }) => !error);
    if (song) this.play(song);
  }

  remove(/** @type {Song} */ song) {
    this.songs = this.songs.filter((other) => other !== song);
    this.place.changed("songs");
  }

  get time() {
    return this.current?.live?.seconds ?? this.player.time;
  }

  get seconds() {
    return this.current?.live?.seconds ?? (this.player.duration || (this.current?.seconds ?? 0));
  }

  get isPlaying() {
    return !!this.current?.live || this.player.isWanted;
  }

  seek(/** @type {number} */ seconds) {
    if (!this.current || this.current.live) return;
    const most = this.seconds || Infinity;
    this.player.seek(Math.max(0, Math.min(seconds, most)));
  }

  toggle() {
    if (this.current?.live) this.stopListening();
    else if (this.player.isWanted) this.player.pause();
    else this.player.play();
  }

  // Listen to the microphone; the recording becomes a song of the list.
  async listen() {
    this.player.close();
    this.stopListening();
    const when = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    const song = new Song(`Microphone ${when}.wav`, async () => new Blob());
    const network = this.network(this.networkFor(song));
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
  }

  async stopListening() {
    const song = this.current;
    if (!song?.live) return;
    const { live } = song;
    song.live = song.mel = null;
    song.answers.clear();
    const file = new File([await live.stop()], song.name, { type: "audio/wav" });
    song.loading = Promise.resolve(file);
    this.songs.push(song);
    this.place.changed("songs");
    if (this.current === song) this.open(song).catch(() => {});
  }
}
