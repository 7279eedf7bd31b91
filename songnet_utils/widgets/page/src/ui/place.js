// One listening page in a document: connects the session, its view and the saved songs.
import { createStore, del, set, values } from "idb-keyval";
import { Engine } from "../engine/engine.js";
import { BASE } from "../teach/teacher.js";
import { teachPanel } from "../teach/panel.js";
import { saveFile } from "./dom.js";
import { onDrop } from "./drop.js";
import { postcard } from "./postcard.js";
import { Session } from "./session.js";
import { Song } from "./song.js";
import { View } from "./view.js";

// The browser saves the list of songs, so that a reload does not lose it.
const database = createStore("songnet-songs", "songs");

export function start(/** @type {HTMLElement} */ element, /** @type {Host} */ host) {
  const closing = new AbortController();
  const { signal } = closing;
  const engine = new Engine(host);
  const fail = (/** @type {string} */ text) => view.fail(text);
  const announce = (/** @type {string} */ text) => view.announce(text);
  const session = new Session(engine, host, { changed, announce, fail });
  /** @type {ListActs} */
  const listActs = {
    play: (song) => {
      if (session.current === song) session.toggle();
      else session.play(song);
    },
    label,
    remove: (song) => {
      session.remove(song);
      del(song.id, database).catch(() => {});
    },
    keep: host.keep ? (song) => void keep(song) : null,
    genres,
    labelOf: (song) => song.label || (panel && panel.genreOf(song)) || "",
  };
  const add = (/** @type {File[]} */ files) => void session.add(files);
  const view = new View(element, session, listActs, { add, listen, savePicture }, signal);

  // Teaching needs the network on whose embedding the layer works.
  const base = host.networks.find(({ name }) => name === BASE);
  const panel = base && teachPanel({
    ...{ engine, host, base, announce },
    list: () => [...new Set([...(session.current ? [session.current] : []), ...session.songs])],
    changed: () => panel && session.teach(panel.networks),
  });
  if (panel) view.teach(panel.element, (song) => panel.mark(song));
  restore().catch(() => announce("The browser could not restore the songs of your last visit."));

  function changed(/** @type {What} */ what) {
    view.changed(what);
    if (what === "songs") save();
    if (panel && (what === "songs" || what === "song")) panel.refresh();
  }

  function genres() {
    const known = session.offers.flatMap((network) => network.genres);
    const labels = session.songs.map((song) => song.label);
    return [...new Set([...known, ...labels])].filter(Boolean);
  }

  function label(/** @type {Song} */ song, /** @type {string} */ genre) {
    song.label = genre;
    changed("songs");
    if (!panel) return announce(`${song.title}: ${genre ? `labelled ${genre}` : "label removed"}.`);
    // From then on, the panel has the label.
    panel.label(song, genre).then(() => {
      song.label = "";
      changed("songs");
    });
  }

  async function keep(/** @type {Song} */ song) {
    const { name, title, artist } = song;
    const genre = listActs.labelOf(song);
    try {
      announce((await host.keep?.(await song.load(), { name, genre, title, artist })) ?? "");
    } catch (error) {
      fail(/** @type {Error} */ (error).message);
    }
  }

  async function listen() {
    try {
      await (session.current?.live ? session.stopListening() : session.listen());
    } catch (error) {
      fail(whyNoMicrophone(/** @type {Error} */ (error)));
    }
  }

  async function savePicture(/** @type {boolean} */ isShared) {
    const { current, networks, seconds, time } = session;
    const answers = current?.answers.get(networks[0]?.name);
    if (!current || !answers) return fail("Wait for the first answer before you save a picture.");
    const step = view.isFutureShown ? answers.steps.length - 1 : answers.endedBy(time);
    const until = view.isFutureShown ? seconds : time;
    const file = await postcard(current, answers, { seconds, step, until });
    if (isShared) return navigator.share({ files: [file], title: current.title }).catch(() => {});
    saveFile(file);
  }

  // Save the changes in the list.
  const saved = /** @type {Map<string, string>} */ (new Map());
  async function save() {
    for (const song of session.songs) {
      const { id, name, title, artist, cover, seconds, label, notes, kind, error } = song;
      const isDone = (/** @type {Answers} */ one) => one.isWhole && !one.network.answer;
      const whole = [...song.answers].filter(([, one]) => isDone(one));
      const key = [title, artist, label, ...whole.map(([name]) => name)].join("|");
      if (error || song.live || saved.get(id) === key) continue;
      saved.set(id, key);
      const answers = whole.map(([name, one]) => /** @type {const} */ ([name, one.steps]));
      const file = await song.load();
      const told = { title, artist, cover, seconds, label, notes, kind, answers };
      await set(id, { id, name, file, ...told }, database)
        .catch(() => announce("The browser could not save this song for your next visit."));
    }
  }

  async function restore() {
    /** @type {ListedSong[]} */
    const kept = await values(database).catch(() => []);
    for (const { id, name, file, answers, ...told } of kept) {
      const song = new Song(name, async () => file);
      Object.assign(song, { id, ...told });
      for (const [network, steps] of answers) {
        // Skip networks that this page no longer has.
        if (!host.networks.some((offer) => offer.name === network)) continue;
        song.restore(session.network(network), steps);
      }
      saved.set(id, [song.title, song.artist, song.label, ...song.answers.keys()].join("|"));
      session.songs.push(song);
    }
    if (kept.length) changed("songs");
  }

  const facts = (/** @type {string} */ network) => {
    const networks = session.offers.map(({ name }) => name);
    return { network, networks, genres: session.network(network).genres };
  };
  const begin = async () => {
    const [first] = session.clips;
    // The session reports errors; a change of song is not an error.
    if (first) session.open(first).catch(() => {});
    return facts(session.networkFor(first ?? null));
  };
  const songnet = {
    // For tests only; these are not part of the contract.
    ...{ engine, session, view },
    ready: begin(),
    async use(/** @type {string} */ name) {
      await session.use(name);
      return facts(name);
    },
    async open(/** @type {Blob | string} */ what) {
      const isAddress = typeof what === "string";
      const song = isAddress ? songAt(what) : new Song(nameOf(what), async () => what);
      const network = session.networks[0]?.name ?? session.networkFor(null);
      const answers = await session.open(song, { network });
      return answered(song, /** @type {Answers} */ (answers));
    },
    seek: (/** @type {number} */ seconds) => session.seek(seconds),
    play: () => session.player.play(),
    pause: () => session.player.pause(),
    now: () => view.shown,
    close() {
      closing.abort();
      session.player.close();
      session.stopListening();
      if (panel) panel.close();
      engine.close();
    },
  };
  songnet.ready.catch((error) => fail(error.message));
  onDrop({
    over: (isOver) => view.root.classList.toggle("sp-over", isOver),
    // With several pages in a document, the newest takes the songs.
    drop: add,
  }, signal);
  Object.assign(window, { songnet });
  return songnet;
}

const nameOf = (/** @type {Blob} */ blob) => (blob instanceof File ? blob.name : "the sound");

function songAt(/** @type {string} */ address) {
  const name = decodeURIComponent(address.split(/[?#]/)[0].split("/").at(-1) || address);
  return new Song(name, async () => {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) throw new Error(`${address}: cannot be fetched. Check the address.`);
    return new File([await answer.blob()], name);
  });
}

/** @param {Song} song @param {Answers} answers as the contract of `window.songnet` has them */
function answered({ seconds }, answers) {
  const { genres } = answers.network;
  const mean = answers.mean() ?? [];
  return {
    seconds,
    genre: answers.top(mean).genre,
    probabilities: Object.fromEntries(genres.map((genre, i) => [genre, mean[i]])),
    genres,
    steps: answers.steps.map(({ start, end, probabilities }) => {
      return { start, end, probabilities: [...probabilities] };
    }),
  };
}

function whyNoMicrophone(/** @type {Error} */ { name, message }) {
  /** @type {Record<string, string>} */
  const why = {
    NotAllowedError:
      "The browser blocked the microphone. Allow it next to the page's address and try again.",
    NotFoundError: "The browser found no microphone. Plug one in and try again.",
    NotReadableError: "Another program is using the microphone. Close it and try again.",
  };
  return why[name] ?? message;
}
