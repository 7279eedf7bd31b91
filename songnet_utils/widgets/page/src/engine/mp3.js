// Facts about an mp3: its first sample, and the place of each frame.

// A decoder adds this many samples before a song.
const DECODER_DELAY = 529;
// Kilobits per second by the header's four bits: MPEG-1 layer III, and MPEG-2 and 2.5 layer III.
const BITRATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
];
const RATES = [44100, 48000, 32000];

// The end of the ID3 tag.
async function afterTag(/** @type {Blob} */ blob) {
  const tag = new DataView(await blob.slice(0, 10).arrayBuffer());
  if (tag.byteLength < 10 || tag.getUint32(0) >>> 8 !== 0x494433) return 0;
  // Each byte of the tag's size has seven bits.
  return [6, 7, 8, 9].reduce((size, at) => (size << 7) | tag.getUint8(at), 0) + 10;
}

/** @param {Blob} blob @param {number} rate @returns {Promise<Gap>} */
export async function gapOf(blob, rate) {
  const at = await afterTag(blob);
  const bytes = new Uint8Array(await blob.slice(at, at + 8192).arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  const samples = rate >= 32000 ? 1152 : 576;
  const header = text.search(/Xing|Info|VBRI/);
  const none = { start: 0, stop: Infinity, end: Infinity, promised: null };
  if (header < 0 || header + 144 > bytes.length) return none;
  if (text.startsWith("VBRI", header)) return { ...none, start: samples };
  const view = new DataView(bytes.buffer, header);
  const flags = view.getUint32(4);
  const promised = flags & 1 ? view.getUint32(8) * samples : null;
  // Before the encoder's name come the optional frames, bytes, seek table and quality.
  const encoder = 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) / 2;
  const isKnown = /^(LAME|Lavf|Lavc)/.test(text.slice(header + encoder));
  if (!isKnown) return { ...none, promised };
  const gap = view.getUint32(encoder + 20) & 0xffffff;
  const start = (gap >> 12) + DECODER_DELAY;
  if (promised === null) return { ...none, start };
  const stop = Math.min(promised, promised - (gap & 4095) + DECODER_DELAY);
  return { start, stop, end: promised, promised: stop - start };
}

// The start and size of each frame, except headers without sound.
export async function framesOf(/** @type {Blob} */ blob) {
  const places = /** @type {number[]} */ ([]);
  const sizes = /** @type {number[]} */ ([]);
  const found = { rate: 0, samples: 0, channels: 0, places, sizes };
  let at = await afterTag(blob);
  let first = 0;
  let view = new DataView(new ArrayBuffer(0));
  let begin = at;
  while (at + 64 <= blob.size) {
    if (at + 64 > begin + view.byteLength) {
      begin = at;
      view = new DataView(await blob.slice(at, at + 2 ** 22).arrayBuffer());
    }
    const header = view.getUint32(at - begin);
    const version = (header >>> 19) & 3;
    const rate = RATES[(header >>> 10) & 3] >> [2, 0, 1, 0][version];
    const samples = version === 3 ? 1152 : 576;
    const bitrate = BITRATES[version === 3 ? 0 : 1][(header >>> 12) & 15];
    const size = Math.floor((samples * bitrate * 125) / rate) + ((header >>> 9) & 1);
    // A frame has the sync bits, is layer III and matches the kind of the first frame.
    const kind = header & 0xfffe0c00;
    const isFrame = (kind & 0xffe60000) >>> 0 === 0xffe20000 && rate && bitrate;
    if (!isFrame || (first && kind !== first)) {
      at += 1;
      continue;
    }
    if (at + size > blob.size) break;
    first = kind;
    const channels = (header & 0xc0) === 0xc0 ? 1 : 2;
    Object.assign(found, { rate, samples, channels });
    const facts = [13, 21, 36][channels - 1 + (version === 3 ? 1 : 0)];
    const word = view.getUint32(at - begin + facts);
    if (word !== 0x58696e67 && word !== 0x496e666f) {
      places.push(at);
      sizes.push(size);
    }
    at += size;
  }
  return found;
}
