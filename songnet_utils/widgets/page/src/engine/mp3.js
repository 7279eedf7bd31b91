// What an mp3's first frame says: how many samples an encoder put before and after the song.

/** @typedef {{start: number, stop: number, promised: number | null}} Gap samples to pass over at
 *   the beginning, where the song ends, and how many it should have */

// A decoder itself adds so many samples.
const DECODER_DELAY = 529;

/** @param {Blob} blob @param {number} rate @returns {Promise<Gap>} */
export async function gapOf(blob, rate) {
  const tags = new DataView(await blob.slice(0, 10).arrayBuffer());
  let at = 0;
  if (tags.byteLength === 10 && tags.getUint32(0) >>> 8 === 0x494433) {
    // An ID3 tag; each byte of its size has seven bits.
    for (let i = 6; i < 10; i++) at = (at << 7) | tags.getUint8(i);
    at += 10;
  }
  const bytes = new Uint8Array(await blob.slice(at, at + 8192).arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  const view = new DataView(bytes.buffer);
  const samples = rate >= 32000 ? 1152 : 576;
  const none = { start: 0, stop: Infinity, promised: null };
  const header = text.search(/Xing|Info|VBRI/);
  if (header < 0 || header + 144 > bytes.length) return none;
  if (text.startsWith("VBRI", header)) return { ...none, start: samples };
  const flags = view.getUint32(header + 4);
  const frames = flags & 1 ? view.getUint32(header + 8) : 0;
  const encoder = header + 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) / 2;
  const promised = frames ? frames * samples : null;
  if (!/^(LAME|Lavf|Lavc)/.test(text.slice(encoder, encoder + 4))) return { ...none, promised };
  const start = (bytes[encoder + 21] << 4) + (bytes[encoder + 22] >> 4) + DECODER_DELAY;
  const padding = ((bytes[encoder + 22] & 15) << 8) + bytes[encoder + 23];
  if (promised === null) return { start, stop: Infinity, promised };
  const stop = Math.min(promised, promised - padding + DECODER_DELAY);
  return { start, stop, promised: stop - start };
}
