// What a person teaches: labels go in, a network comes out that answers beside musicnn.
import { sha256 } from "@noble/hashes/sha2.js";
import { answer, fit, likeliest, ofSong } from "./layer.js";
import { plain } from "./trial.js";

/** @typedef {import("./types").PageSong} PageSong */

export const BASE = "musicnn";
const TAUGHT = "Your genres";

export class Teacher {
  /** @param {import("../engine/engine.js").Engine} engine
   * @param {import("./store.js").Store} store */
  constructor(engine, store) {
    this.engine = engine;
    this.store = store;
    /** @type {import("./types").TaughtNetwork | null} */
    this.network = null;
    /** @type {WeakMap<PageSong, Promise<string>>} */
    this.asked = new WeakMap();
    /** @type {WeakMap<PageSong, string>} */
    this.hashes = new WeakMap();
    store.addEventListener("change", () => this.fit());
    this.fit();
  }

  /** @param {PageSong} song @param {string} genre empty: no longer labelled */
  async label(song, genre) {
    const file = await song.load();
    const told = { sha256: await this.hash(song), genre: await this.#spelt(genre) };
    const isKnown = this.store.songs.some((one) => one.sha256 === told.sha256);
    const { name, title, artist } = song;
    const heard = isKnown || !genre ? {} : await this.#hear(song, file);
    await this.store.label([{ ...told, name, title, artist, file, ...heard }]);
  }

  // What a song's file holds, whatever its name.
  /** @param {PageSong} song @returns {Promise<string>} */
  hash(song) {
    const compute = async () => {
      // The browser's own hash is lent only to pages from https or this machine.
      const hash = sha256.create();
      for await (const piece of (await song.load()).stream()) hash.update(piece);
      const text = Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
      this.hashes.set(song, text);
      return text;
    };
    const asked = this.asked.get(song) ?? compute();
    this.asked.set(song, asked);
    asked.catch(() => this.asked.delete(song));
    return asked;
  }

  /** @returns {Promise<string[]>} those that musicnn knows, then the person's own */
  async genres() {
    const { genres } = await this.engine.describe(BASE);
    return [...new Set([...genres, ...this.store.songs.map(({ genre }) => genre).sort()])];
  }

  // The same genre in other capitals is the same genre.
  /** @param {string} genre */
  async #spelt(genre) {
    const known = await this.genres();
    return known.find((name) => plain(name) === plain(genre)) ?? genre.trim();
  }

  /** @param {PageSong} song @param {Blob} file */
  async #hear(song, file) {
    const { genres } = await this.engine.describe(BASE);
    const hearing = song.hearings?.get(BASE);
    const isHeard = await hearing?.done.then(() => true, () => false);
    const told = hearing && isHeard ? hearing.told : [];
    if (!told.length) {
      await this.engine.listen(file, BASE, { onSteps: (steps) => void told.push(steps) });
    }
    const numbers = await new Blob(told.map(({ embeddings }) => /** @type {any} */ (embeddings)));
    const steps = told.flatMap((one) => one.steps.map(({ probabilities }) => probabilities));
    const means = ofSong(steps);
    return {
      embeddings: new Float32Array(await numbers.arrayBuffer()),
      before: { genre: likeliest(means, genres), probability: Math.max(...means) },
    };
  }

  fit() {
    const { songs } = this.store;
    this.network = null;
    if (new Set(songs.map(({ genre }) => genre)).size < 2) return;
    const layer = fit(songs);
    this.network = {
      name: TAUGHT,
      title: TAUGHT,
      genres: layer.genres,
      trainingMusic: `${songs.length} songs that you labelled, on top of what musicnn learnt`,
      caution: "It chooses among your genres only.",
      asked: BASE,
      answer: (embedding) => answer(layer, embedding)[0],
    };
  }
}
