// What a browser's player plays so that its clock tells the truth. After a seek in an mp3 the
// player guesses the place from the bit rate, seconds away from the sound it plays. An mp4 around
// the same bytes has an index of every frame: some boxes (ISO/IEC 14496-12) before the file.
import { BlobSource, Input, MP3 } from "mediabunny";
import { KINDS } from "./decode.js";
import { framesOf, gapOf } from "./mp3.js";

/** @param {string} name @param {(number[] | Uint8Array)[]} parts @returns {Uint8Array} */
function box(name, ...parts) {
  const size = parts.reduce((total, part) => total + part.length, 8);
  const whole = new Uint8Array(size);
  whole.set([...u32(size), ...letters(name)]);
  let at = 8;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {number[]} numbers @returns {Uint8Array} of 32 bits each */
function words(numbers) {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, i) => view.setUint32(4 * i, number));
  return new Uint8Array(view.buffer);
}

/** @param {number[]} numbers */
const u32 = (...numbers) => words(numbers);
/** @param {number[]} numbers of 16 bits @returns {number[]} */
const u16 = (...numbers) => numbers.flatMap((number) => [number >> 8, number & 255]);

/** @param {string} text */
const letters = (text) => [...text].map((letter) => letter.charCodeAt(0));

const MATRIX = u32(65536, 0, 0, 0, 65536, 0, 0, 0, 2 ** 30);
// An MPEG-4 description whose one fact is that this is an mp3 (0x6b).
const MP3_FACTS = [3, 21, 0, 1, 0, 4, 13, 0x6b, 0x15, ...new Array(11).fill(0), 6, 1, 2];

/** @param {Blob} blob @returns {Promise<Blob>} an mp4 around an mp3; other songs as they are */
export async function playable(blob) {
  const input = new Input({ formats: KINDS, source: new BlobSource(blob) });
  const format = await input.getFormat().catch(() => null);
  input.dispose();
  if (format !== MP3) return blob;
  const { rate, samples, channels, places, sizes } = await framesOf(blob);
  if (!places.length) return blob;
  // What the encoder put before the song is passed over. Where that is less than a frame,
  // Chromium passes over twice as much: so the first frame stands there once more.
  const early = samples + (await gapOf(blob, rate)).start;
  const offsets = [places[0], ...places];
  const count = offsets.length;
  const length = count * samples;
  const played = length - early;
  const sound = [...u32(0), ...u16(0, 1), ...u32(0, 0), ...u16(channels, 16, 0, 0, rate, 0)];
  const kind = box("stsd", u32(0, 1), box("mp4a", sound, box("esds", u32(0), MP3_FACTS)));
  const place = box("dinf", box("dref", u32(0, 1), box("url ", u32(1))));
  const movie = [u32(0, 0, 0, rate, played, 65536, 2 ** 24, 0, 0), MATRIX, u32(0, 0, 0, 0, 0, 0)];
  const track = [u32(3, 0, 0, 1, 0, played, 0, 0, 0, 2 ** 24), MATRIX, u32(0, 0)];
  const isSound = box("hdlr", u32(0, 0), letters("soun"), u32(0, 0, 0), [0]);
  /** @param {number} before bytes before the mp3 */
  const moov = (before) => {
    const index = [
      box("stts", u32(0, 1, count, samples)),
      box("stsc", u32(0, 1, 1, 1, 1)),
      box("stsz", u32(0, 0, count, sizes[0]), words(sizes)),
      box("stco", u32(0, count), words(offsets.map((offset) => before + offset))),
    ];
    const minf = box("minf", box("smhd", u32(0, 0)), place, box("stbl", kind, ...index));
    const mdia = box("mdia", box("mdhd", u32(0, 0, 0, rate, length, 0x55c40000)), isSound, minf);
    const edts = box("edts", box("elst", u32(0, 1, played, early, 65536)));
    return box("moov", box("mvhd", ...movie, u32(2)), box("trak", box("tkhd", ...track), edts, mdia));
  };
  const ftyp = box("ftyp", letters("isom"), u32(512), letters("isommp42"));
  const mdat = new Uint8Array([...u32(blob.size + 8), ...letters("mdat")]);
  const parts = [ftyp, moov(ftyp.length + moov(0).length + 8), mdat, blob];
  return new Blob(/** @type {BlobPart[]} */ (parts), { type: "audio/mp4" });
}
