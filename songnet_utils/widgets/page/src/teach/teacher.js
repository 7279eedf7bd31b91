// Turns your labels into a network that answers beside musicnn.
import { sha256 } from "@noble/hashes/sha2.js";
import { answer, fit, likeliest, meanOf } from "./layer.js";
import { plain } from "./trial.js";

export const BASE = "musicnn";
const TAUGHT = "Your genres";

export class Teacher {
  network = /** @type {Taught | null} */ (null);
  asked = /** @type {WeakMap<PageSong, Promise<string>>} */ (new WeakMap());
  hashes = /** @type {WeakMap<PageSong, string>} */ (new WeakMap());

  /** @param {Engine} engine @param {Store} store @param {string[]} known genres of musicnn */
  constructor(engine, store, known) {
    this.engine = engine;
    this.known = known;
    this.store = store;
    store.addEventListener("change", () => this.fit());
    this.fit();
  }

  /** @param {PageSong} song @param {string} genre empty to remove the label */
  async label(song, genre) {
    const file = await song.load();
    const told = { sha256: await this.hash(song), genre: this.#spelt(genre) };
    const isKnown = this.store.songs.some((one) => one.sha256 === told.sha256);
    const { name, title, artist } = song;
    const heard = isKnown || !genre ? {} : await this.#hear(song, file);
    await this.store.label([{ ...told, name, title, artist, file, ...heard }]);
  }

  // The hash of a song's bytes.
  hash(/** @type {PageSong} */ song) {
    const compute = async () => {
      // Browsers offer their own hash only to pages from https or this machine.
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

  // musicnn's genres, then your own.
  get genres() {
    return [...new Set([...this.known, ...this.store.songs.map(({ genre }) => genre).sort()])];
  }

  // Capitals do not make a genre different.
  #spelt(/** @type {string} */ genre) {
    return this.genres.find((name) => plain(name) === plain(genre)) ?? genre.trim();
  }

  async #hear(/** @type {PageSong} */ song, /** @type {Blob} */ file) {
    const { known } = this;
    const hearing = song.hearings?.get(BASE);
    const isHeard = await hearing?.done.then(() => true, () => false);
    const told = hearing && isHeard ? hearing.told : [];
    if (!told.length) {
      await this.engine.listen(file, BASE, { onSteps: (steps) => void told.push(steps) });
    }
    const embeddings = told.flatMap((one) => [...(one.embeddings ?? [])]);
    const steps = told.flatMap((one) => one.steps.flatMap((step) => [...step.probabilities]));
    const means = meanOf(Float32Array.from(steps), known.length);
    return {
      embeddings: Float32Array.from(embeddings),
      before: { genre: likeliest(means, known), probability: Math.max(...means) },
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
      trainingMusic: `${songs.length} songs that you labelled, on top of musicnn`,
      caution: "It chooses only among your genres.",
      asked: BASE,
      answer: (embedding) => answer(layer, embedding),
    };
  }
}
