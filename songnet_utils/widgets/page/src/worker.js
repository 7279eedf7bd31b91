// The worker that decodes songs, resamples them and runs the networks. It receives messages
// {id, ask: …} and sends messages {id, kind: …}.
import { beforeDamage, Song } from "./engine/decode.js";
import { Listening, mixDown } from "./engine/listening.js";
import { loadEvents, Network, setUp } from "./engine/network.js";
import { playable } from "./engine/playable.js";
import { Recording } from "./engine/recording.js";
import { EventListener } from "./teach/notmusic.js";

const networks = /** @type {Map<string, Network>} */ (new Map());
const jobs = /** @type {Map<number, Job>} */ (new Map());
const runtime = Promise.withResolvers();
const eventBytes = /** @type {PromiseWithResolvers<Uint8Array | null>} */ (Promise.withResolvers());
const eventNetwork = Promise.all([eventBytes.promise, runtime.promise])
  .then(([bytes]) => bytes && loadEvents(bytes));

// A song may be this much shorter than its header promises, because encoders count loosely.
const SLACK_SECONDS = 0.12;

class Job {
  isAborted = false;
  replied = (/** @type {any} */ _) => {};

  constructor(/** @type {number} */ id) {
    this.id = id;
    jobs.set(id, this);
  }

  tell(/** @type {object} */ told) {
    if (!this.isAborted) postMessage({ id: this.id, ...told });
  }

  // Wait for the page's reply.
  reply() {
    return new Promise((resolve) => (this.replied = resolve));
  }

  abort() {
    this.isAborted = true;
    this.replied({ error: "aborted" });
  }

  // Handle waiting messages, so that another song can begin.
  async breathe() {
    const { port1, port2 } = new MessageChannel();
    port2.postMessage(null);
    await new Promise((resolve) => (port1.onmessage = resolve));
    port1.close();
    if (this.isAborted) throw new DOMException("Another song was chosen.", "AbortError");
  }

  async decodeOnPage(/** @type {number} */ rate) {
    const reply = this.reply();
    this.tell({ kind: "decode", rate });
    const { piece, error } = await reply;
    if (!piece) throw new Error(error);
    return piece;
  }
}

/** @param {Job} job @param {boolean} isAsked @param {boolean} isLive */
function eventListener(job, isAsked, isLive) {
  if (!isAsked) return null;
  /** @type {AskEvents} */
  const ask = async (samples) => (await eventNetwork)?.(samples);
  return new EventListener(ask, (told) => job.tell({ kind: "kind", told }), isLive);
}

/** @param {Job} job @param {ListenAsked} asked */
async function listen(job, { blob, name, network, frames, kinds }) {
  const song = new Song(blob, name, (rate) => job.decodeOnPage(rate));
  try {
    const facts = await song.open();
    job.tell({ kind: "facts", facts });
    await job.breathe();
    const listening = new Listening(known(network), name, (told) => {
      if (told.kind !== "frames" || frames) job.tell(told);
    });
    const sounds = eventListener(job, kinds, false);
    const damage = await hearAll(job, song, listening, sounds, facts.notes);
    const { seconds } = listening;
    if (!seconds && damage) throw song.unreadable();
    if (!seconds) {
      throw new Error(`${name}: contains no samples. Choose a file with sound in it.`);
    }
    const promised = (song.gap.promised ?? 0) / song.rate;
    const until = seconds.toFixed(2);
    if (promised - seconds > SLACK_SECONDS) {
      facts.notes.push(
        `${name}: is cut short or damaged. Its header promises ${promised.toFixed(2)} s, but ` +
          `only the first ${until} s can be decoded. The answers cover only these.`,
      );
    } else if (damage) {
      facts.notes.push(`${name}: is damaged after ${until} s. The answers stop there.`);
    }
    listening.end();
    while (await listening.answer(true)) await job.breathe();
    await sounds?.end();
    job.tell({ kind: "facts", facts: { ...facts, seconds } });
    return { seconds, notes: facts.notes };
  } finally {
    song.close();
  }
}

// Process a song second by second; return the error that stopped it early, if any.
/** @param {Job} job @param {Song} song @param {Listening} listening
 * @param {EventListener | null} sounds @param {string[]} notes */
async function hearAll(job, song, listening, sounds, notes) {
  let cancelled = 0;
  let held = /** @type {Piece[]} */ ([]);
  let seconds = 0;
  const hear = async () => {
    if (!held.length) return;
    const { mono, cancels } = mixDown(held);
    if (cancels) cancelled += seconds;
    const { rate } = held[0];
    listening.hear(mono, rate);
    held = [];
    seconds = 0;
    while (await listening.answer()) await job.breathe();
    await sounds?.hear(mono, rate);
    await job.breathe();
  };
  let damage = null;
  for await (const piece of beforeDamage(song.pieces(), (error) => (damage = error))) {
    const { channels, rate } = piece;
    const [before] = held;
    const isSame = rate === before?.rate && channels.length === before?.channels.length;
    if (seconds >= 1 || !isSame) await hear();
    held.push(piece);
    seconds += channels[0].length / rate;
  }
  await hear();
  if (cancelled) {
    notes.push(
      `${song.name}: its channels cancel out for ${cancelled.toFixed(1)} s (one is the other ` +
        "inverted). There, only the first channel is used.",
    );
  }
  return damage;
}

/** @param {Job} job @param {MicrophoneAsked} asked */
async function microphone(job, { port, rate, network, kinds }) {
  const listening = new Listening(known(network), "the microphone", (told) => job.tell(told), true);
  const sounds = eventListener(job, kinds, true);
  const recording = new Recording(rate);
  const stopped = job.reply();
  let answering = Promise.resolve();
  port.onmessage = ({ data }) => {
    recording.add(data);
    listening.hear(data, rate);
    const level = Math.max(...data.map(Math.abs));
    job.tell({ kind: "level", level, seconds: listening.seconds });
    answering = answering.then(async () => {
      while (await listening.answer()) await job.breathe();
      await sounds?.hear(data, rate);
    });
  };
  await stopped;
  port.close();
  await answering;
  return recording.blob();
}

function known(/** @type {string} */ name) {
  const network = networks.get(name);
  if (!network) throw new Error(`${name}: there is no such network`);
  return network;
}

/** @type {Record<string, (job: Job, asked: any) => unknown>} */
const asks = {
  setUp: (_, { wasm }) => runtime.resolve(setUp(wasm)),
  events: (_, { bytes }) => eventBytes.resolve(bytes),
  network(_, { network, bytes }) {
    networks.set(network.name, new Network(network, bytes, runtime.promise));
  },
  listen,
  microphone,
  playable: (_, { blob }) => playable(blob),
};

onmessage = async ({ data: { id, ask, ...asked } }) => {
  if (ask === "abort") return jobs.get(id)?.abort();
  if (ask === "reply") return jobs.get(id)?.replied(asked);
  const job = new Job(id);
  try {
    job.tell({ kind: "done", result: await asks[ask](job, asked) });
  } catch (error) {
    const { message, name } = /** @type {Error} */ (error);
    job.tell({ kind: "error", message, name });
  } finally {
    jobs.delete(id);
  }
};
