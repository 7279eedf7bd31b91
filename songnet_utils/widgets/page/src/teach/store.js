// The songs that a person labelled, kept in the browser (IndexedDB), and how labels changed.
import { meanOf } from "./layer.js";

/** @typedef {import("./types").Told} Told @typedef {import("./types").State} State */

// The length of musicnn's embedding of a step.
const WIDTH = 200;
const FORMAT = "songnet-your-genres";
const KEPT = "kept";
// Changes that can be undone.
const MOST_CHANGES = 100;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Store extends EventTarget {
  /** @param {IDBDatabase} database */
  constructor(database) {
    super();
    this.database = database;
    /** @type {import("./types").Song[]} those that have a genre, in the order of their hashes */
    this.songs = [];
    this.changes = 0;
    // Other tabs show the same songs.
    this.others = new BroadcastChannel(FORMAT);
    this.others.onmessage = () => this.change();
  }

  static async open() {
    const request = indexedDB.open(FORMAT, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEPT);
    const store = new Store(await done(request));
    await store.change();
    return store;
  }

  // Without a change: only read what is there.
  /** @param {(state: State) => void} [how] */
  async change(how) {
    const mode = how ? "readwrite" : "readonly";
    const transaction = this.database.transaction(KEPT, mode);
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const kept = transaction.objectStore(KEPT);
    /** @type {State} */
    const state = (await done(kept.get(KEPT))) ?? { songs: new Map(), changes: [] };
    how?.(state);
    if (how) kept.put(state, KEPT);
    await ended;
    if (how) this.others.postMessage("changed");
    this.changes = state.changes.length;
    this.songs = [...state.songs.values()]
      .filter(({ genre }) => genre)
      .sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
      .map((told) => ({ ...told, mean: meanOf(told.embeddings, told.embeddings.length / WIDTH) }));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {(Partial<Told> & {sha256: string})[]} told with an empty genre: no longer labelled */
  label(told) {
    return this.change(({ songs, changes }) => {
      const genreOf = (/** @type {string} */ sha256) => songs.get(sha256)?.genre ?? "";
      changes.push(told.map(({ sha256 }) => ({ sha256, genre: genreOf(sha256) })));
      for (const one of told) {
        songs.set(one.sha256, /** @type {Told} */ ({ ...songs.get(one.sha256), ...one }));
      }
      changes.splice(0, changes.length - MOST_CHANGES);
      // No change brings these back.
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
    return this.change(({ songs, changes }) => {
      songs.clear();
      changes.length = 0;
    });
  }

  /** What was learnt, without the songs' sound. @returns {Blob} */
  exported() {
    const songs = this.songs.map(({ file, mean, embeddings, ...told }) => {
      let letters = "";
      const bytes = new Uint8Array(embeddings.slice().buffer);
      for (const byte of bytes) letters += String.fromCharCode(byte);
      return { ...told, embeddings: btoa(letters) };
    });
    return new Blob([JSON.stringify({ format: FORMAT, version: 1, songs }, null, 1)]);
  }

  /** Adds the songs of an exported file. @param {File} file */
  async import(file) {
    const wrong = (/** @type {string} */ why) =>
      new Error(`${file.name}: ${why}. Nothing was changed. Choose a file that “Export” made.`);
    const content = await file.text().then(JSON.parse).catch(() => null);
    if (content?.format !== FORMAT) throw wrong("is not a whole file of taught genres");
    if (content.version !== 1) throw wrong(`has version ${content.version}; this page reads 1`);
    if (!content.songs?.length) throw wrong("holds no songs");
    await this.label(
      Array.from(content.songs, (told, i) => {
        const song = readSong(told);
        if (typeof song === "string") throw wrong(`song ${i + 1} ${song}`);
        return song;
      }),
    );
  }

  close() {
    this.others.close();
    this.database.close();
  }
}

/** @param {any} told @returns {Told | string} what is wrong with it */
function readSong(told) {
  const { sha256, name, title, artist, genre, before } = told ?? {};
  const texts = { name, title, artist, genre, "answer of musicnn": before?.genre };
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== "string") return `has no ${key}`;
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) return "has no SHA-256 of its content";
  if (!genre.trim()) return "has no genre";
  if (!(before.probability >= 0 && before.probability <= 1)) return "has no probability";
  const isBase64 = /^([\w+/]{4})+([\w+/]{2,3}=+)?$/.test(told.embeddings);
  const letters = isBase64 ? atob(told.embeddings) : "";
  if (!letters || letters.length % (4 * WIDTH)) return `has no ${WIDTH} numbers for each step`;
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const embeddings = new Float32Array(bytes.buffer);
  if (!embeddings.every(Number.isFinite)) return "has an embedding that is not finite";
  const { genre: said, probability } = before;
  return { sha256, name, title, artist, genre, embeddings, before: { genre: said, probability } };
}
