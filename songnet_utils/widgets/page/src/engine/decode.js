// Song files in, samples out, piece by piece: mediabunny takes files apart, WebCodecs decodes.
import {
  ADTS, AudioSampleSink, BlobSource, EncodedPacketSink, FLAC, Input, MATROSKA, MP3, MP4, OGG,
  PCM_AUDIO_CODECS, QTFF, WAVE, WEBM,
} from "mediabunny";
import { gapOf } from "./mp3.js";

const LOWEST_RATE = 1_000;
const HIGHEST_RATE = 1_000_000;
const KINDS = [MP3, MP4, QTFF, OGG, WAVE, FLAC, WEBM, MATROSKA, ADTS];
// The most packets that may wait for the decoder.
const MOST_WAITING = 64;
const READABLE = "mp3, m4a, mp4, ogg, wav, flac, webm, aac";

export const inputOf = (/** @type {Blob} */ blob) =>
  new Input({ formats: KINDS, source: new BlobSource(blob) });

export class Song {
  gap = /** @type {Gap} */ ({ start: 0, stop: Infinity, end: Infinity, promised: null });
  rate = 0;

  /** @param {Blob} blob @param {string} name
   * @param {(rate: number) => Promise<Piece>} decodeWhole decodes in the page, without WebCodecs */
  constructor(blob, name, decodeWhole) {
    this.blob = blob;
    this.name = name;
    this.decodeWhole = decodeWhole;
    this.input = inputOf(blob);
  }

  /** @returns {Promise<Facts>} */
  async open() {
    const { blob, name, input } = this;
    if (!blob.size) throw new Error(`${name}: the file is empty. Copy or download it again.`);
    const refuse = () => Promise.reject(this.unreadable());
    const track = await input.getPrimaryAudioTrack().catch(refuse);
    if (!track) throw new Error(`${name}: has no audio track. Choose a file with sound in it.`);
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
    } else {
      // In other kinds, the song begins at time 0.
      const early = -(await track.getFirstTimestamp().catch(() => 0));
      this.gap.start = Math.max(0, Math.round(early * rate));
      if (promised) this.gap.promised = promised * rate * (await promisedShare(blob));
    }
    const { images = [], title = null, artist = null } = tags;
    const image = images.find(({ kind }) => kind === "coverFront") ?? images[0];
    const cover = image ? new Blob([image.data.slice()], { type: image.mimeType }) : null;
    return { seconds, rate, channels, title, artist, cover, notes: [] };
  }

  unreadable() {
    const why = "is not a sound file that can be decoded, or is damaged";
    const advice = `Readable kinds: ${READABLE}. Convert it to one of them, or download it again.`;
    return new Error(`${this.name}: ${why}. ${advice}`);
  }

  // The song's samples, without the padding of encoders.
  /** @returns {AsyncGenerator<Piece>} */
  async *pieces() {
    const track = /** @type {import("mediabunny").InputAudioTrack} */ (this.track);
    if (!(await track.canDecode())) {
      const refuse = () => Promise.reject(this.unreadable());
      return yield await this.decodeWhole(this.rate).catch(refuse);
    }
    const { start, stop, end } = this.gap;
    let at = 0;
    for await (const { channels, rate } of this.#decoded(track)) {
      // Another song may follow in the same file.
      for (const [from, to] of [[start, stop], [end, Infinity]]) {
        const [first, last] = [Math.max(0, from - at), Math.max(0, to - at)];
        const part = channels.map((one) => one.subarray(first, last));
        if (part[0].length) yield { channels: part, rate };
      }
      at += channels[0].length;
    }
  }

  /** @param {import("mediabunny").InputAudioTrack} track @returns {AsyncGenerator<Piece>} */
  async *#decoded(track) {
    const codec = await track.getCodec();
    const isPlain = PCM_AUDIO_CODECS.some((plain) => plain === codec);
    const samples = isPlain ? new AudioSampleSink(track).samples() : decodedBy(track);
    for await (const data of samples) {
      const { numberOfChannels, numberOfFrames, sampleRate: rate } = data;
      const channels = Array.from({ length: numberOfChannels }, (_, planeIndex) => {
        const plane = new Float32Array(numberOfFrames);
        data.copyTo(plane, { planeIndex, format: "f32-planar" });
        return plane;
      });
      data.close();
      checkRate(rate, this.name);
      yield { channels, rate };
    }
  }

  close() {
    this.input.dispose();
  }
}

function checkRate(/** @type {number} */ rate, /** @type {string} */ name) {
  if (rate >= LOWEST_RATE && rate <= HIGHEST_RATE) return;
  const why = `says that it has ${rate.toLocaleString("en")} samples per second`;
  const rule = "sound has 1,000 to 1,000,000. Its header is damaged: export it again.";
  throw new Error(`${name}: ${why}; ${rule}`);
}

// The length of a wav according to its header, over the length of the file.
async function promisedShare(/** @type {Blob} */ blob) {
  const head = new DataView(await blob.slice(0, 12).arrayBuffer());
  const bytes = head.getUint32(4, true) + 8;
  // A header that promises nearly 2 GB dates from before the size was known.
  if (head.getUint32(0) !== 0x52494646 || bytes > 2 ** 31 - 2 ** 16) return 1;
  return Math.max(1, bytes / blob.size);
}

// Yield items up to the first error, and report the error.
/** @template T @param {AsyncIterable<T>} items @param {(error: unknown) => void} tell */
export async function* beforeDamage(items, tell) {
  try {
    yield* items;
  } catch (error) {
    tell(error);
  }
}

// mediabunny can decode, too, but at damage it loses packets that it has already decoded. This
// function skips packets that cannot be decoded and continues to the last packet.
/** @param {import("mediabunny").InputAudioTrack} track @returns {AsyncGenerator<AudioData>} */
async function* decodedBy(track) {
  const config = /** @type {AudioDecoderConfig} */ (await track.getDecoderConfig());
  const packets = new EncodedPacketSink(track).packets();
  const decoded = /** @type {AudioData[]} */ ([]);
  let wake = () => {};
  const begin = () => {
    const decoder = new AudioDecoder({ output: (data) => decoded.push(data), error: () => wake() });
    decoder.configure(config);
    decoder.ondequeue = () => wake();
    return decoder;
  };
  let decoder = begin();
  let damage = null;
  try {
    for await (const packet of beforeDamage(packets, (error) => (damage = error))) {
      if (decoder.state === "closed") decoder = begin();
      decoder.decode(packet.toEncodedAudioChunk());
      while (decoder.state !== "closed" && decoder.decodeQueueSize > MOST_WAITING) {
        await new Promise((resolve) => (wake = () => resolve(null)));
      }
      while (decoded.length) yield /** @type {AudioData} */ (decoded.shift());
    }
    if (decoder.state !== "closed") await decoder.flush().catch(() => {});
    while (decoded.length) yield /** @type {AudioData} */ (decoded.shift());
  } finally {
    for (const data of decoded) data.close();
    if (decoder.state !== "closed") decoder.close();
  }
  if (damage) throw damage;
}
