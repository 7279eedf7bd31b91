// A test on held-out songs, before and after: for each song, a layer is fitted without it, without
// its artist's other songs and without copies of any of these.
import { answer, fit, likeliest } from "./layer.js";

const FOLDS = 10;
// With fewer test songs, the page makes no claim.
const FEWEST = 8;

export const plain = (/** @type {string} */ text) =>
  text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();

// Songs by one artist and songs with the same content form a group, and so do songs that such
// pairs connect. A song by an unknown artist is grouped by its content alone.
function groupsOf(/** @type {LearntSong[]} */ songs) {
  let groups = /** @type {{songs: LearntSong[], keys: Set<string>}[]} */ ([]);
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

// Distribute each genre over the folds.
function foldsOf(/** @type {LearntSong[][]} */ groups) {
  const number = Math.min(FOLDS, groups.length);
  const folds = Array.from({ length: number }, () => /** @type {LearntSong[]} */ ([]));
  for (const group of groups.toSorted((a, b) => b.length - a.length)) {
    const genres = genresOf(group);
    const load = (/** @type {LearntSong[]} */ fold) =>
      fold.reduce((sum, { genre }) => sum + (genres.includes(genre) ? 1000 : 1), 0);
    folds.toSorted((a, b) => load(a) - load(b))[0].push(...group);
  }
  return folds;
}

/** @param {LearntSong[]} songs */
const genresOf = (songs) => [...new Set(songs.map(({ genre }) => genre))];

/** @param {LearntSong[]} songs @param {OnFold} onFold @returns {Promise<Trial>} */
export async function holdOut(songs, onFold = () => {}) {
  const groups = groupsOf(songs);
  const genres = genresOf(songs);
  // A genre with only one group cannot be tested, because no training songs would be left.
  const fair = genres.filter((genre) => groups.filter((one) => genresOf(one).includes(genre))[1]);
  const tested = /** @type {Trial["tested"]} */ ([]);
  for (const fold of foldsOf(groups)) {
    const learnt = songs.filter((song) => !fold.includes(song));
    const asked = fold.filter(({ genre }) => fair.includes(genre));
    if (!asked.length || genresOf(learnt).length < 2) continue;
    const layer = fit(learnt);
    for (const song of asked) {
      const after = likeliest(answer(layer, song.mean), layer.genres);
      tested.push({ song, before: song.before.genre, after });
    }
    await onFold(learnt, asked);
  }
  const found = tested.map(({ song }) => song);
  return { tested, untested: songs.filter((song) => !found.includes(song)), genres };
}

// Wilson's 95 % interval of a share.
export function wilson(/** @type {number} */ right, /** @type {number} */ of) {
  const z = 1.959964;
  const middle = (right + z ** 2 / 2) / (of + z ** 2);
  const half = (z * Math.sqrt((right * (of - right)) / of + z ** 2 / 4)) / (of + z ** 2);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** @param {Trial} trial @param {string[]} known genres of musicnn @returns {string[]} sentences */
export function inWords({ tested, untested, genres }, known) {
  if (tested.length < FEWEST) {
    const why = `A fair test needs at least ${FEWEST} songs; there are ${tested.length}.`;
    return [`${why} Label at least four songs per genre, by different artists.`];
  }
  /** @param {Trial["tested"]} some @param {"before" | "after"} when */
  const share = (some, when) => {
    const right = some.filter((one) => one[when] === one.song.genre).length;
    const percents = [right / some.length, ...wilson(right, some.length)];
    const [middle, low, high] = percents.map((part) => Math.round(100 * part));
    return `${right} of ${some.length} right (${middle} %, 95 % interval ${low} to ${high} %)`;
  };
  const both = tested.filter(({ song }) => known.includes(song.genre));
  const only = tested.filter(({ song }) => !known.includes(song.genre));
  return [
    "Each song was tested with a layer trained without this song and its artist.",
    both[0] && `Before: musicnn gets ${share(both, "before")}.`,
    both[0] && `After: on the same songs, your layer gets ${share(both, "after")}. It chooses ` +
      `among ${genres.length} genres, musicnn among ${known.length}.`,
    only[0] && `On genres that musicnn does not know, your layer gets ${share(only, "after")}.`,
    untested[0] && `Not tested, as their genre has no other artist: ${untested.length}.`,
  ].filter((text) => text !== undefined);
}
