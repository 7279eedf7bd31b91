// What a network says of itself: the metadata_props of its .onnx file, read from the protobuf.

/**
 * @typedef {{sample_rate: number, n_fft: number, hop: number, n_mels: number, floor: number}} Sound
 * @typedef {{size: number, stride: number, past: number}} Field
 * @typedef {{name: string, title: string, trainingMusic: string, caution: string, genres: string[],
 *   sound: Sound, field: Field, embedding: boolean}} Description
 */

// Protobuf: each field begins with its number and its kind (0: a number, 2: bytes that follow
// their number, 1 and 5: eight and four bytes).
/** @param {Uint8Array} bytes @returns {Generator<[number, Uint8Array]>} */
function* fields(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = number();
    const kind = key % 8;
    if (kind === 0) number();
    const length = kind === 0 ? 0 : kind === 2 ? number() : kind === 1 ? 8 : 4;
    yield [Math.floor(key / 8), bytes.subarray(at, at + length)];
    at += length;
  }
}

const text = new TextDecoder();

/** @param {Uint8Array} bytes a ModelProto @param {string} name what errors call it
 * @returns {Description} */
export function describe(bytes, name) {
  /** @type {Record<string, string>} */
  const told = {};
  let embedding = false;
  for (const [field, content] of fields(bytes)) {
    // Its metadata_props: entries of a key and a value.
    if (field === 14) {
      const entry = Object.fromEntries(fields(content));
      told[text.decode(entry[1])] = text.decode(entry[2]);
    }
    // Its graph, whose outputs each begin with their name.
    for (const [part, output] of field === 7 ? fields(content) : []) {
      const name = part === 12 ? text.decode(Object.fromEntries(fields(output))[1]) : "";
      embedding ||= name === "embedding";
    }
  }
  for (const key of ["genres", "sound", "receptive_field"]) {
    if (!told[key]) throw new Error(`${name}: its file does not say its ${key}. Export it again.`);
  }
  return {
    name: told.name ?? name,
    title: told.title ?? told.name ?? name,
    trainingMusic: told.training_music ?? "",
    caution: told.caution ?? "",
    genres: JSON.parse(told.genres),
    sound: JSON.parse(told.sound),
    field: JSON.parse(told.receptive_field),
    embedding,
  };
}
