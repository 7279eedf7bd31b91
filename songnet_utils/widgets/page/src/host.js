// The data that a host (site, app, notebook) hands to the page, and how the page gets it.

// For each script element, the data that it passed to `assets`.
const brought = new WeakMap();
const bring = (/** @type {unknown} */ content) =>
  void brought.set(document.currentScript ?? assets, content);

// The scripts with a static page's bytes call these functions, over http and file:// alike.
export const assets = {
  manifest: (/** @type {Manifest} */ manifest) => bring(manifest),
  // The asset's name, and its gzipped bytes in base64.
  add: (/** @type {string} */ _name, /** @type {string} */ base64) => bring(base64),
};

/** @param {string} address @returns {Promise<any>} what the script brought */
async function bringBy(address) {
  const script = document.createElement("script");
  try {
    await new Promise((resolve, reject) => {
      Object.assign(script, { onload: resolve, onerror: reject, src: address });
      document.head.append(script);
    });
    return brought.get(script);
  } catch {
    throw new Error(`${address} cannot be read. Check that the page's folder is complete.`);
  } finally {
    script.remove();
  }
}

async function unpacked(/** @type {BlobPart[]} */ parts, /** @type {boolean} */ isPacked) {
  const blob = new Blob(parts);
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await (isPacked ? new Response(stream) : blob).arrayBuffer());
}

/** @param {string} base the folder of a static page's files @returns {Promise<Host>} */
export async function staticHost(base) {
  const { networks, clips, keep } = await bringBy(`${base}manifest.js`);
  return {
    networks,
    clips,
    async asset(name) {
      const text = atob(await bringBy(`${base}assets/${name}.js`));
      return unpacked([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], true);
    },
    keep: keep && (async (/** @type {Blob} */ file, /** @type {Labelled} */ told) => {
      const address = new URL(keep, location.href);
      for (const [key, value] of Object.entries(told)) address.searchParams.set(key, value);
      const answer = await fetch(address, { method: "POST", body: file });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text;
    }),
  };
}

// The most bytes in a message to Python.
const PIECE = 2 ** 20;

/** @param {Model} model @returns {Promise<Host & {close: () => void}>} */
export async function widgetHost(model) {
  let count = 0;
  /** @type {Map<string, PromiseWithResolvers<any> & {parts: BlobPart[]}>} */
  const waiting = new Map();
  const wait = (/** @type {string} */ key) => {
    waiting.set(key, { ...Promise.withResolvers(), parts: [] });
    return waiting.get(key)?.promise;
  };
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
  return {
    networks,
    clips,
    asset(name) {
      const asset = wait(name);
      model.send({ kind: "asset", name });
      return /** @type {Promise<any>} */ (asset);
    },
    keep: keep && (async (/** @type {Blob} */ file, /** @type {Labelled} */ told) => {
      const id = `song ${(count += 1)}`;
      const kept = wait(id);
      const of = Math.max(1, Math.ceil(file.size / PIECE));
      for (let at = 0; at < of; at++) {
        const bytes = await file.slice(at * PIECE, (at + 1) * PIECE).arrayBuffer();
        model.send({ kind: "keep", id, at, of, ...told }, undefined, [bytes]);
      }
      return (await kept).text;
    }),
    close: () => model.off("msg:custom", heard),
  };
}
