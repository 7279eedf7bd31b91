// The list of songs, kept in the browser (IndexedDB) so that a reload does not lose it.

/** @typedef {import("../engine/listening.js").Step} Step */
/**
 * @typedef {object} Kept what is kept of a song
 * @property {string} id
 * @property {string} name of its file
 * @property {Blob} file
 * @property {string} title
 * @property {string} artist
 * @property {Blob | null} cover
 * @property {number} seconds
 * @property {string} label
 * @property {import("../teach/types").Kind | null} kind
 * @property {string[]} notes
 * @property {(readonly [string, Step[]])[]} answers of networks, the whole ones
 */

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class ListStore {
  constructor() {
    const request = indexedDB.open("songnet-list", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("songs", { keyPath: "id" });
    this.database = done(request);
  }

  /** @param {IDBTransactionMode} mode */
  async #songs(mode) {
    return (await this.database).transaction("songs", mode).objectStore("songs");
  }

  /** @returns {Promise<Kept[]>} in the order in which they came */
  async all() {
    return done((await this.#songs("readonly")).getAll());
  }

  /** @param {Kept} song */
  async put(song) {
    await done((await this.#songs("readwrite")).put(song));
  }

  /** @param {string} id */
  async remove(id) {
    await done((await this.#songs("readwrite")).delete(id));
  }

  async close() {
    (await this.database).close();
  }
}
