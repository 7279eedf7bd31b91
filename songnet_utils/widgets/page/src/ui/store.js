// The list of songs, kept in the browser (IndexedDB) so that a reload does not lose it.

/** @import {Kept} from "./types" */

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

  async #songs(/** @type {IDBTransactionMode} */ mode) {
    return (await this.database).transaction("songs", mode).objectStore("songs");
  }

  async all() {
    return done((await this.#songs("readonly")).getAll());
  }

  async put(/** @type {Kept} */ song) {
    await done((await this.#songs("readwrite")).put(song));
  }

  async remove(/** @type {string} */ id) {
    await done((await this.#songs("readwrite")).delete(id));
  }

  async close() {
    (await this.database).close();
  }
}
