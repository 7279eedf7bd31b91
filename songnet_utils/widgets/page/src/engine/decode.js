// Song files in, samples out, piece by piece: mediabunny takes files apart, WebCodecs decodes.
import {
  ADTS, AudioSampleSink, BlobSource, FLAC, Input, MATROSKA, MP3, MP4, OGG, QTFF, WAVE, WEBM,
} from "mediabunny";
import { gapOf } from "./mp3.js";

/** @typedef {{channels: Float32Array[], rate: number}} Piece */
/** @typedef {{seconds: number | null, rate: number, channels: number, title: string | null,
 *   artist: string | null, cover: Blob | null, notes: string[]}} Facts */

const LOWEST_RATE = 1_000;
const HIGHEST_RATE = 1_000_000;
export const KINDS = [MP3, MP4, QTFF, OGG, WAVE, FLAC, WEBM, MATROSKA, ADTS];
const READABLE = "mp3, m4a, mp4, ogg, wav, flac, webm, aac";

export class Song {
  /** @param {Blob} blob @param {string} name
   * @param {(rate: number) => Promise<Piece>} decodeWhole what the page decodes without WebCodecs */
  constructor(blob, name, decodeWhole) {
    this.blob = blob;
    this.name = name;
    this.decodeWhole = decodeWhole;
    this.input = new Input({ formats: KINDS, source: new BlobSource(blob) });
    // Samples to pass over at the beginning, where the song ends, and how many are promised.
    this.gap = { start: 0, stop: Infinity, promised: /** @type {number | null} */ (null) };
    this.rate = 0;
  }

  /** @returns {Promise<Facts>} */
  async open() {
    const { blob, name, input } = this;
    if (!blob.size) throw new Error(`${name}: the file is empty. Copy or download it again.`);
    const track = await input.getPrimaryAudioTrack().catch(() => {
      throw this.unreadable();
    });
    if (!track) throw new Error(`${name}: has no sound in it. Choose a file with an audio track.`);
    this.track = track;
    const channels = await track.getNumberOfChannels();
    const rate = await track.getSampleRate();
    this.rate = rate;
    checkRate(rate, name);
    /** @type {import("mediabunny").MetadataTags} */
    const tags = await input.getMetadataTags().catch(() => ({}));
    const promised = await track.getDurationFromMetadata().catch(() => null);
    let seconds = promised;
    if ((await input.getFormat()) === MP3) {
      this.gap = await gapOf(blob, rate);
      if (this.gap.promised) seconds = this.gap.promised / rate;
    } else if (promised) {
      this.gap.promised = promised * rate * (await promisedShare(blob));
    }
    const { images = [], title, artist } = tags;
    const image = images.find(({ kind }) => kind === "coverFront") ?? images[0];
    const cover = image && new Blob([image.data.slice()], { type: image.mimeType });
    const told = { title: title ?? null, artist: artist ?? null, cover: cover ?? null };
    return { seconds, rate, channels, ...told, notes: [] };
  }

  unreadable() {
    return new Error(
      `${this.name}: is not a sound file that can be decoded, or is damaged. Readable kinds: ` +
        `${READABLE}. Convert it to one of them, or download it again.`,
    );
  }

  // The song's samples, without what encoders put around them.
  /** @returns {AsyncGenerator<Piece>} */
  async *pieces() {
    let { start } = this.gap;
    let left = this.gap.stop - start;
    for await (const { channels, rate } of this.#decoded()) {
      const gone = Math.min(start, channels[0].length);
      const count = Math.min(left, channels[0].length - gone);
      start -= gone;
      left -= count;
      if (count > 0) yield { rate, channels: channels.map((one) => one.subarray(gone, gone + count)) };
      if (left <= 0) return;
    }
  }

  /** @returns {AsyncGenerator<Piece>} */
  async *#decoded() {
    const track = /** @type {import("mediabunny").InputAudioTrack} */ (this.track);
    if (!(await track.canDecode())) {
      yield await this.decodeWhole(this.rate).catch(() => {
        throw this.unreadable();
      });
      return;
    }
    let isFirst = true;
    for await (const sample of new AudioSampleSink(track).samples()) {
      if (isFirst) this.gap.start ||= Math.max(0, Math.round(-sample.timestamp * sample.sampleRate));
      isFirst = false;
      const channels = Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
        const plane = new Float32Array(sample.numberOfFrames);
        sample.copyTo(plane, { planeIndex, format: "f32-planar" });
        return plane;
      });
      const rate = sample.sampleRate;
      sample.close();
      checkRate(rate, this.name);
      yield { channels, rate };
    }
  }

  close() {
    this.input.dispose();
  }
}

/** @param {number} rate @param {string} name */
function checkRate(rate, name) {
  if (rate >= LOWEST_RATE && rate <= HIGHEST_RATE) return;
  throw new Error(
    `${name}: says that it has ${rate.toLocaleString("en")} samples per second; sound has ` +
      "1,000 to 1,000,000. Its header is damaged: export it again.",
  );
}

// How much longer a wav says it is than the bytes that are there.
/** @param {Blob} blob */
async function promisedShare(blob) {
  const head = new DataView(await blob.slice(0, 12).arrayBuffer());
  const bytes = head.getUint32(4, true) + 8;
  // A header that promises nearly 2 GB was written before the size was known.
  if (head.getUint32(0) !== 0x52494646 || bytes > 2 ** 31 - 2 ** 16) return 1;
  return Math.max(1, bytes / blob.size);
}
