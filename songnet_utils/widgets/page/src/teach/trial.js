// Before and after on songs held out: each song is answered by a layer that was fitted without it,
// without its artist's other songs and without copies of any of these.
import { answer, fit, likeliest, ofSong } from "./layer.js";

/** @typedef {import("./types").Song} Song @typedef {import("./types").Trial} Trial */

const FOLDS = 10;
// With fewer songs tested nothing is claimed.
const FEWEST = 8;

/** @param {string} text */
export const plain = (text) => text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();

// Songs of one artist and songs of the same content are one group, and so are songs that such
// pairs connect. A song whose artist is not known is grouped by its content alone.
/** @template {{artist: string, sha256: string}} T @param {T[]} songs @returns {T[][]} */
export function groupsOf(songs) {
  /** @type {{songs: T[], keys: Set<string>}[]} */
  let groups = [];
  for (const song of songs) {
    const keys = new Set([`content ${song.sha256}`]);
    if (plain(song.artist)) keys.add(`artist ${plain(song.artist)}`);
    const same = groups.filter((group) => !group.keys.isDisjointFrom(keys));
    groups = groups.filter((group) => !same.includes(group));
    groups.push({
      songs: [...same.flatMap((group) => group.songs), song],
      keys: same.reduce((all, group) => all.union(group.keys), keys),
    });
  }
  return groups.map((group) => group.songs);
}

/** @param {Song[][]} groups @returns {Song[][]} folds, each genre spread over them */
function foldsOf(groups) {
  /** @type {Song[][]} */
  const folds = Array.from({ length: Math.min(FOLDS, groups.length) }, () => []);
  for (const group of groups.toSorted((a, b) => b.length - a.length)) {
    const genres = genresOf(group);
    const load = (/** @type {Song[]} */ fold) =>
      fold.reduce((sum, { genre }) => sum + (genres.includes(genre) ? 1000 : 1), 0);
    folds.toSorted((a, b) => load(a) - load(b))[0].push(...group);
  }
  return folds;
}

/** @param {Song[]} songs */
const genresOf = (songs) => [...new Set(songs.map(({ genre }) => genre))];

/** @param {Song[]} songs that were labelled
 * @param {(learnt: Song[], asked: Song[]) => unknown} [onFold] is awaited
 * @returns {Promise<Trial>} */
export async function holdOut(songs, onFold = () => {}) {
  const groups = groupsOf(songs);
  const genres = genresOf(songs);
  // Nothing is left to learn a genre from while its only group is tested.
  const fair = genres.filter((genre) => groups.filter((one) => genresOf(one).includes(genre))[1]);
  /** @type {Trial["tested"]} */
  const tested = [];
  for (const fold of foldsOf(groups)) {
    const learnt = songs.filter((song) => !fold.includes(song));
    const asked = fold.filter(({ genre }) => fair.includes(genre));
    if (!asked.length || genresOf(learnt).length < 2) continue;
    const layer = fit(learnt);
    for (const song of asked) {
      const after = likeliest(ofSong(answer(layer, song.embeddings)), layer.genres);
      tested.push({ song, before: song.before.genre, after });
    }
    await onFold(learnt, asked);
  }
  const found = tested.map(({ song }) => song);
  return { tested, untested: songs.filter((song) => !found.includes(song)), genres };
}

// Wilson's 95 % interval of a share.
/** @param {number} right @param {number} of @returns {[number, number]} */
export function wilson(right, of) {
  const z = 1.959964;
  const middle = (right + z ** 2 / 2) / (of + z ** 2);
  const half = (z * Math.sqrt((right * (of - right)) / of + z ** 2 / 4)) / (of + z ** 2);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** @param {Trial} trial @param {string[]} known genres of musicnn @returns {string[]} sentences */
export function inWords({ tested, untested, genres }, known) {
  if (tested.length < FEWEST) {
    return [
      `Too few songs to test this fairly: only ${tested.length} could be held out. Label at least ` +
        "four songs of each genre, by different artists.",
    ];
  }
  /** @param {Trial["tested"]} some @param {"before" | "after"} when */
  const share = (some, when) => {
    const right = some.filter((one) => one[when] === one.song.genre).length;
    const percents = [right / some.length, ...wilson(right, some.length)];
    const [middle, low, high] = percents.map((part) => Math.round(100 * part));
    return `${right} of ${some.length} (${middle} %, 95 % interval ${low} to ${high} %)`;
  };
  const both = tested.filter(({ song }) => known.includes(song.genre));
  const only = tested.filter(({ song }) => !known.includes(song.genre));
  const said = ["Each song was tested with a layer that saw neither it nor its artist."];
  if (both.length) {
    said.push(
      `Before: musicnn is right about ${share(both, "before")}.`,
      `After: your layer is right about ${share(both, "after")} of the same songs. It chooses ` +
        `among ${genres.length} genres, musicnn among ${known.length}.`,
    );
  }
  if (only.length) {
    const right = share(only, "after");
    said.push(`Genres that musicnn does not know: your layer is right about ${right}.`);
  }
  if (untested.length) {
    said.push(`Not tested: ${untested.length}, the only artist of a genre.`);
  }
  return said;
}
