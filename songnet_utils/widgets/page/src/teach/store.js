// The songs that you labelled, in the browser's database (IndexedDB), and the changes of labels.
import { createStore, get, update } from "idb-keyval";
import { meanOf } from "./layer.js";

// The length of musicnn's embedding for a step.
const WIDTH = 200;
const FORMAT = "songnet-your-genres";
const KEPT = "kept";
// The most changes that you can undo.
const MOST_CHANGES = 100;

/** @returns {Kept} */
const nothing = () => ({ songs: new Map(), changes: [] });
const database = createStore(FORMAT, KEPT);

export class Store extends EventTarget {
  // The labelled songs, in the order of their hashes.
  songs = /** @type {LearntSong[]} */ ([]);
  changes = 0;
  // Other tabs show the same songs.
  others = new BroadcastChannel(FORMAT);

  static async open() {
    const store = new Store();
    store.others.onmessage = () => store.read();
    await store.read();
    return store;
  }

  async read() {
    const { songs, changes } = (await get(KEPT, database)) ?? nothing();
    this.changes = changes.length;
    this.songs = [...songs.values()]
      .filter(({ genre }) => genre)
      .sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
      .map((song) => ({ ...song, mean: meanOf(song.embeddings, WIDTH) }));
    this.dispatchEvent(new Event("change"));
  }

  async change(/** @type {(kept: Kept) => void} */ how) {
    const changed = (/** @type {Kept} */ kept = nothing()) => (how(kept), kept);
    await update(KEPT, changed, database);
    this.others.postMessage("changed");
    await this.read();
  }

  /** @param {(Partial<KeptSong> & {sha256: string})[]} told an empty genre removes the label */
  label(told) {
    return this.change(({ songs, changes }) => {
      const genreOf = (/** @type {string} */ sha256) => songs.get(sha256)?.genre ?? "";
      changes.push(told.map(({ sha256 }) => ({ sha256, genre: genreOf(sha256) })));
      for (const one of told) {
        songs.set(one.sha256, /** @type {KeptSong} */ ({ ...songs.get(one.sha256), ...one }));
      }
      changes.splice(0, changes.length - MOST_CHANGES);
      // Delete songs that no undo can bring back.
      const named = new Set(changes.flat().map(({ sha256 }) => sha256));
      for (const sha256 of songs.keys()) {
        if (!genreOf(sha256) && !named.has(sha256)) songs.delete(sha256);
      }
    });
  }

  undo() {
    return this.change(({ songs, changes }) => {
      for (const { sha256, genre } of changes.pop() ?? []) {
        Object.assign(songs.get(sha256) ?? {}, { genre });
      }
    });
  }

  forget() {
    return this.change((kept) => void Object.assign(kept, nothing()));
  }

  // The labels and embeddings, without the songs' sound.
  exported() {
    const songs = this.songs.map(({ file, mean, embeddings, ...told }) => {
      const bytes = [...new Uint8Array(embeddings.slice().buffer)];
      return { ...told, embeddings: btoa(bytes.map((byte) => String.fromCharCode(byte)).join("")) };
    });
    const text = JSON.stringify({ format: FORMAT, version: 1, songs }, null, 1);
    return new File([text], `${FORMAT}.json`);
  }

  // Add the songs of an exported file.
  async import(/** @type {File} */ file) {
    const wrong = (/** @type {string} */ why) =>
      new Error(`${file.name}: ${why}. Nothing has changed. Choose a file that “Export” made.`);
    const content = await file.text().then(JSON.parse).catch(() => null);
    if (content?.format !== FORMAT) throw wrong("is not a complete export of genres");
    if (content.version !== 1) throw wrong(`has version ${content.version}, not 1`);
    if (!content.songs?.length) throw wrong("contains no songs");
    const songs = Array.from(content.songs, (told, i) => {
      const song = readSong(told);
      if (typeof song === "string") throw wrong(`song ${i + 1} ${song}`);
      return song;
    });
    await this.label(songs);
  }

  close() {
    this.others.close();
  }
}

/** @param {any} told @returns {KeptSong | string} what is wrong with it */
function readSong(told) {
  const { sha256, name, title, artist, genre, before } = told ?? {};
  const texts = { name, title, artist, genre, "answer of musicnn": before?.genre };
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== "string") return `has no ${key}`;
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) return "has no SHA-256";
  if (!genre.trim()) return "has no genre";
  if (!(before.probability >= 0 && before.probability <= 1)) return "has no probability";
  const isBase64 = /^([\w+/]{4})+([\w+/]{2,3}=+)?$/.test(told.embeddings);
  const letters = isBase64 ? atob(told.embeddings) : "";
  if (!letters || letters.length % (4 * WIDTH)) return `does not have ${WIDTH} numbers per step`;
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const embeddings = new Float32Array(bytes.buffer);
  if (!embeddings.every(Number.isFinite)) return "has an embedding that is not finite";
  const { genre: said, probability } = before;
  return { sha256, name, title, artist, genre, embeddings, before: { genre: said, probability } };
}
