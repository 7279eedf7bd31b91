// What a browser's player plays so that its clock tells the truth. After a seek in an mp3 the
// player guesses the place from the bit rate, seconds away from the sound it plays. An mp4 around
// the same bytes has an index of every frame.
import {
  BlobSource, BufferTarget, EncodedAudioPacketSource, EncodedPacketSink, Input, MP3, Mp4OutputFormat,
  Output,
} from "mediabunny";
import { gapOf } from "./mp3.js";

/** @param {Blob} blob @param {() => Promise<void>} breathe @returns {Promise<Blob>} */
export async function playable(blob, breathe) {
  const input = new Input({ formats: [MP3], source: new BlobSource(blob) });
  try {
    const track = await input.getPrimaryAudioTrack().catch(() => null);
    const config = await track?.getDecoderConfig();
    if (!track || !config) return blob;
    const { start } = await gapOf(blob, config.sampleRate);
    const target = new BufferTarget();
    const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
    const source = new EncodedAudioPacketSource("mp3");
    output.addAudioTrack(source);
    await output.start();
    let count = 0;
    for await (const packet of new EncodedPacketSink(track).packets()) {
      // What the encoder put before the song lies before time 0.
      const timestamp = packet.timestamp - start / config.sampleRate;
      await source.add(packet.clone({ timestamp }), { decoderConfig: config });
      if (++count % 1000 === 0) await breathe();
    }
    await output.finalize();
    return new Blob([/** @type {ArrayBuffer} */ (target.buffer)], { type: "audio/mp4" });
  } finally {
    input.dispose();
  }
}
