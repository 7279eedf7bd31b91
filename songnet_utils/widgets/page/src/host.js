// What a place (site, app, notebook) hands to the page, and how it comes there.

/** @typedef {{name: string, asset: string, title: string, stream?: string}} NetworkOffer */
/** @typedef {{asset: string, file: string, title: string, artist: string, genre: string,
 *   credit: string, medley?: {start: number, genre: string}[]}} Clip */
/** @typedef {{name: string, genre: string, title: string, artist: string}} Told */
/**
 * @typedef {object} Host
 * @property {NetworkOffer[]} networks
 * @property {Clip[]} clips to choose from; the first is shown at the start
 * @property {(name: string) => Promise<Uint8Array<ArrayBuffer>>} asset unpacked bytes
 * @property {(file: Blob, told: Told) => Promise<string>} [keep] where Python is: keeps the song,
 *   says where, or rejects with why
 */
/** @typedef {{networks: NetworkOffer[], clips: Clip[], keep: any}} Manifest */

// By script: what it called `assets` with.
/** @type {WeakMap<object, any>} */
const brought = new WeakMap();
/** @param {unknown} content */
const bring = (content) => void brought.set(document.currentScript ?? assets, content);

// Called by the scripts that bring a static page's bytes: these come from http and file:// alike.
export const assets = {
  /** @param {Manifest} manifest */
  manifest: (manifest) => bring(manifest),
  /** @param {string} _name @param {string} base64 of gzipped bytes */
  add: (_name, base64) => bring(base64),
};

/** @param {string} address @returns {Promise<any>} what the script brought */
function bringBy(address) {
  const script = document.createElement("script");
  return new Promise((resolve, reject) => {
    script.onload = () => {
      resolve(brought.get(script));
      brought.delete(script);
      script.remove();
    };
    script.onerror = () => {
      script.remove();
      reject(new Error(`${address} cannot be read. Is the folder whole?`));
    };
    script.src = address;
    document.head.append(script);
  });
}

/** @param {BlobPart[]} parts @param {boolean} isPacked */
async function unpacked(parts, isPacked) {
  const blob = new Blob(parts);
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await (isPacked ? new Response(stream) : blob).arrayBuffer());
}

/** @param {string} base the folder of a static page's files @returns {Promise<Host>} */
export async function staticHost(base) {
  const { networks, clips, keep } = /** @type {Manifest} */ (await bringBy(`${base}manifest.js`));
  /** @type {Host} */
  const host = {
    networks,
    clips,
    async asset(name) {
      const text = atob(await bringBy(`${base}assets/${name}.js`));
      return unpacked([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], true);
    },
  };
  if (keep) {
    host.keep = async (file, told) => {
      const address = new URL(keep, location.href);
      for (const [key, value] of Object.entries(told)) address.searchParams.set(key, value);
      const answer = await fetch(address, { method: "POST", body: file });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text;
    };
  }
  return host;
}

// The most bytes in a message to Python.
const PIECE = 2 ** 20;

/**
 * @typedef {object} Model of anywidget
 * @property {(message: object, callbacks?: unknown, buffers?: ArrayBuffer[]) => void} send
 * @property {(event: "msg:custom", heard: (message: any, buffers: DataView[]) => void) => void} on
 * @property {(event: "msg:custom", heard: Function) => void} off
 */
/** @param {Model} model @returns {Promise<Host & {close: () => void}>} */
export async function widgetHost(model) {
  /** @type {Map<string, {resolve: Function, reject: Function, parts: DataView<ArrayBuffer>[]}>} */
  const waiting = new Map();
  /** @param {string} key @returns {Promise<any>} */
  const wait = (key) =>
    new Promise((resolve, reject) => waiting.set(key, { resolve, reject, parts: [] }));
  /** @param {any} message @param {DataView[]} buffers */
  const heard = (message, buffers) => {
    const key = message.kind === "manifest" ? "manifest" : (message.name ?? message.id);
    const one = waiting.get(key);
    if (!one) return;
    if (message.kind === "piece") {
      one.parts.push(/** @type {DataView<ArrayBuffer>} */ (buffers[0]));
      if (one.parts.length < message.of) return;
      one.resolve(unpacked(one.parts, message.gzip));
    } else if (message.kind === "error") one.reject(new Error(message.text));
    else one.resolve(message);
    waiting.delete(key);
  };
  model.on("msg:custom", heard);
  const manifest = wait("manifest");
  model.send({ kind: "hello" });
  const { networks, clips, keep } = await manifest;
  /** @type {Host & {close: () => void}} */
  const host = {
    networks,
    clips,
    asset(name) {
      const asset = wait(name);
      model.send({ kind: "asset", name });
      return asset;
    },
    close: () => model.off("msg:custom", heard),
  };
  if (keep) {
    host.keep = async (file, told) => {
      const id = crypto.randomUUID();
      const kept = wait(id);
      const of = Math.max(1, Math.ceil(file.size / PIECE));
      for (let at = 0; at < of; at++) {
        const bytes = await file.slice(at * PIECE, (at + 1) * PIECE).arrayBuffer();
        model.send({ kind: "keep", id, at, of, ...told }, undefined, [bytes]);
      }
      return (await kept).text;
    };
  }
  return host;
}
