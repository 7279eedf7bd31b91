// A form of a song in which a browser's player can seek exactly. In an mp3, the player estimates
// the position from the bit rate and is seconds off. An mp4 around the same bytes has an index of
// every frame: some boxes (ISO/IEC 14496-12) before the file.
import { MP3 } from "mediabunny";
import { inputOf } from "./decode.js";
import { framesOf, gapOf } from "./mp3.js";

// The bytes of 32-bit and 16-bit numbers, and of letters.
const words = (/** @type {number[]} */ numbers) =>
  numbers.flatMap((number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255));
const u32 = (/** @type {number[]} */ ...numbers) => words(numbers);
const u16 = (/** @type {number[]} */ ...numbers) =>
  numbers.flatMap((number) => [number >> 8, number & 255]);
const letters = (/** @type {string} */ text) => [...text].map((letter) => letter.charCodeAt(0));

/** @param {string} name @param {number[][]} parts bytes */
function box(name, ...parts) {
  const content = parts.flat();
  return [...u32(content.length + 8), ...letters(name), ...content];
}

const MATRIX = u32(65536, 0, 0, 0, 65536, 0, 0, 0, 2 ** 30);

/** @param {Blob} blob @returns {Promise<Blob>} an mp4 around an mp3; other songs as they are */
export async function playable(blob) {
  const input = inputOf(blob);
  const format = await input.getFormat().catch(() => null);
  input.dispose();
  if (format !== MP3) return blob;
  const { rate, samples, channels, places, sizes } = await framesOf(blob);
  if (!places.length) return blob;
  const { start } = await gapOf(blob, rate);
  // The player skips the encoder's padding before the song. If the padding is less than a frame,
  // Chromium skips twice as much, so repeat the first frame.
  const early = samples + start;
  const offsets = [places[0], ...places];
  const lengths = [sizes[0], ...sizes];
  const count = offsets.length;
  const length = count * samples;
  const seen = length - early;
  const header = u32(0, 0, 0, rate, seen, 65536, 2 ** 24, 0, 0);
  const mvhd = box("mvhd", header, MATRIX, u32(0, 0, 0, 0, 0, 0, 2));
  const tkhd = box("tkhd", u32(3, 0, 0, 1, 0, seen, 0, 0, 0, 2 ** 24), MATRIX, u32(0, 0));
  const edts = box("edts", box("elst", u32(0, 1, seen, early, 65536)));
  const mdhd = box("mdhd", u32(0, 0, 0, rate, length, 0x55c40000));
  const hdlr = box("hdlr", u32(0, 0), letters("soun"), u32(0, 0, 0), [0]);
  const smhd = box("smhd", u32(0, 0));
  const dinf = box("dinf", box("dref", u32(0, 1), box("url ", u32(1))));
  const sound = [...u32(0), ...u16(0, 1), ...u32(0, 0), ...u16(channels, 16, 0, 0, rate, 0)];
  // An MPEG-4 description that says only that this is an mp3.
  const mp3 = [3, 21, 0, 1, 0, 4, 13, 0x6b, 0x15, ...Array(11).fill(0), 6, 1, 2];
  const stsd = box("stsd", u32(0, 1), box("mp4a", sound, box("esds", u32(0), mp3)));
  const stts = box("stts", u32(0, 1, count, samples));
  const stsc = box("stsc", u32(0, 1, 1, 1, 1));
  const stsz = box("stsz", u32(0, 0, count), words(lengths));
  const moov = (/** @type {number} */ before) => {
    const stco = box("stco", u32(0, count), words(offsets.map((offset) => before + offset)));
    const minf = box("minf", smhd, dinf, box("stbl", stsd, stts, stsc, stsz, stco));
    return box("moov", mvhd, box("trak", tkhd, edts, box("mdia", mdhd, hdlr, minf)));
  };
  const ftyp = box("ftyp", letters("isom"), u32(512), letters("isommp42"));
  const before = ftyp.length + moov(0).length + 8;
  const boxes = [...ftyp, ...moov(before), ...u32(blob.size + 8), ...letters("mdat")];
  return new Blob([Uint8Array.from(boxes), blob], { type: "audio/mp4" });
}
