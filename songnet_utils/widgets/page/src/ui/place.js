// One listening page on a document: puts the session, its view and what is kept together.
import { Engine } from "../engine/engine.js";
import { BASE } from "../teach/teacher.js";
import { teachPanel } from "../teach/panel.js";
import { onDrop } from "./drop.js";
import { List } from "./list.js";
import { postcard } from "./postcard.js";
import { Session } from "./session.js";
import { Song } from "./song.js";
import { ListStore } from "./store.js";
import { View } from "./view.js";

/** @typedef {import("../host.js").Host} Host */
/** @typedef {import("./answers.js").Answers} Answers */
/** @typedef {import("./session.js").What} What */

/** @param {HTMLElement} element @param {Host} host */
export function start(element, host) {
  const closing = new AbortController();
  const { signal } = closing;
  const engine = new Engine(host);
  const fail = (/** @type {string} */ text) => view.fail(text);
  const announce = (/** @type {string} */ text) => view.announce(text);
  const session = new Session(engine, host, { changed, announce, fail });
  const store = new ListStore();
  const list = new List({
    play: (song) => {
      if (session.current === song) session.toggle();
      else session.open(song, { play: true }).catch(() => {});
    },
    label,
    remove: (song) => {
      session.remove(song);
      store.remove(song.id).catch(() => {});
    },
    keep: host.keep ? (song) => void keep(song) : null,
    genres,
    labelOf: (song) => song.label || (panel && panel.genreOf(song)) || "",
  });
  const add = (/** @type {File[]} */ files) => void session.add(files);
  const view = new View(element, session, list, { add, listen, savePicture }, signal);

  // Genres can be taught where there is a network whose embedding they are a layer on.
  const panel = host.networks.some(({ name }) => name === BASE) && teachPanel({
    ...{ engine, host, announce },
    list: () => [...new Set([...(session.current ? [session.current] : []), ...session.songs])],
    changed: () => panel && session.teach(panel.networks),
  });
  if (panel) view.teach(panel.element, (song) => panel.mark(song));
  restore().catch(() => announce("The browser could not show the songs of your last visit."));

  /** @param {What} what */
  function changed(what) {
    view.changed(what);
    if (what === "songs") save();
    if (panel && (what === "songs" || what === "song")) panel.refresh();
  }

  function genres() {
    const known = host.networks.flatMap(({ name }) => session.known.get(name)?.genres ?? []);
    const own = session.taught.flatMap((network) => network.genres);
    return [...new Set([...known, ...own, ...session.songs.map((song) => song.label)])].filter(Boolean);
  }

  /** @param {Song} song @param {string} genre */
  function label(song, genre) {
    song.label = genre;
    changed("songs");
    if (!panel) return announce(genre ? `${song.title}: labelled ${genre}.` : `${song.title}: no label.`);
    // From then on the panel knows it.
    panel.label(song, genre).then(() => {
      song.label = "";
      changed("songs");
    });
  }

  /** @param {Song} song */
  async function keep(song) {
    const { name, title, artist, label: genre } = song;
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

  /** @param {boolean} isShared */
  async function savePicture(isShared) {
    const { current, networks, seconds, time } = session;
    const answers = current?.answers.get(networks[0]?.name);
    if (!current || !answers) return fail("There is nothing to draw yet: wait for the first answer.");
    const step = view.isFutureShown ? answers.steps.length - 1 : answers.endedBy(time);
    const until = view.isFutureShown ? seconds : time;
    const file = await postcard(current, answers, { seconds, step, until });
    if (isShared) return navigator.share({ files: [file], title: current.title }).catch(() => {});
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // Keep what has changed in the list.
  /** @type {Map<string, string>} */
  const saved = new Map();
  async function save() {
    for (const song of session.songs) {
      const { id, name, title, artist, cover, seconds, label, notes, kind, error } = song;
      const whole = [...song.answers].filter(([, { isWhole, network }]) => isWhole && !network.answer);
      const key = [title, artist, label, ...whole.map(([name]) => name)].join("|");
      if (error || song.live || saved.get(id) === key) continue;
      saved.set(id, key);
      const answers = whole.map(([name, one]) => /** @type {const} */ ([name, one.steps]));
      const file = await song.load();
      const told = { title, artist, cover, seconds, label, notes, kind, answers };
      await store.put({ id, name, file, ...told })
        .catch(() => announce("The browser could not keep this song for the next visit."));
    }
  }

  async function restore() {
    const kept = await store.all().catch(() => []);
    for (const { id, name, file, answers, ...told } of kept) {
      const song = new Song(name, async () => file);
      Object.assign(song, { id, ...told });
      for (const [network, steps] of answers) {
        // A network that this page does not have any more.
        if (!host.networks.some((offer) => offer.name === network)) continue;
        song.restore(await session.network(network), steps);
      }
      saved.set(id, [song.title, song.artist, song.label, ...song.answers.keys()].join("|"));
      session.songs.push(song);
    }
    if (kept.length) changed("songs");
  }

  const names = () => session.offers.map(({ name }) => name);
  /** @param {string} name */
  const facts = async (name) => ({
    network: name, networks: names(), genres: (await session.network(name)).genres,
  });
  const begin = async () => {
    const [first] = session.clips;
    if (first) session.open(first).catch((error) => fail(error.message));
    const told = await facts(session.networkFor(first ?? null));
    return told;
  };
  const songnet = {
    // For tests: these are no part of the contract.
    ...{ engine, session, view },
    ready: begin(),
    /** @param {string} name */
    async use(name) {
      await session.use(name);
      return facts(name);
    },
    /** @param {Blob | string} what */
    async open(what) {
      const song = typeof what === "string" ? songAt(what) : new Song(nameOf(what), async () => what);
      const network = session.networks[0]?.name ?? session.networkFor(null);
      const answers = await session.open(song, { network });
      return answered(song, /** @type {Answers} */ (answers));
    },
    /** @param {number} seconds */
    seek: (seconds) => session.seek(seconds),
    play: () => session.player.play(),
    pause: () => session.player.pause(),
    now: () => view.shown,
    close() {
      closing.abort();
      session.player.close();
      session.stopListening();
      if (panel) panel.close();
      engine.close();
      store.close().catch(() => {});
    },
  };
  songnet.ready.catch((error) => fail(error.message));
  onDrop({
    over: (isOver) => view.root.classList.toggle("sp-over", isOver),
    // Where there are several pages, the newest takes what is dropped beside them.
    drop: add,
  }, signal);
  Object.assign(window, { songnet });
  return songnet;
}

/** @param {Blob} blob */
const nameOf = (blob) => (blob instanceof File ? blob.name : "the sound");

/** @param {string} address */
function songAt(address) {
  const name = decodeURIComponent(address.split(/[?#]/)[0].split("/").at(-1) || address);
  return new Song(name, async () => {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) throw new Error(`${address}: cannot be fetched. Is the address right?`);
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

/** @param {Error} error */
function whyNoMicrophone({ name, message }) {
  /** @type {Record<string, string>} */
  const why = {
    NotAllowedError:
      "The browser did not allow the microphone. Allow it beside the page's address, and try again.",
    NotFoundError: "No microphone was found. Plug one in, and try again.",
    NotReadableError: "Another program uses the microphone. Close that program, and try again.",
  };
  return why[name] ?? message;
}
