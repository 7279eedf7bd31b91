// The panel for your own genres: label a song, see the labels and the test results, undo.
import { copy, h, partsOf, saveFile, say } from "../ui/dom.js";
import html from "./panel.html";
import { Store } from "./store.js";
import { Teacher } from "./teacher.js";
import { holdOut, inWords } from "./trial.js";

let panels = 0;

/** @param {TeachPlace} place */
export function teachPanel({ engine, host, base, list, announce, changed }) {
  const element = h("section", { class: "sp-teach", "aria-label": "Teach it your genres" });
  element.innerHTML = html;
  const parts = partsOf(element);
  const { form, choice, genre, genres, error, songs, results } = parts;
  const { undo, save, bring, chosen, forget } = parts;
  genres.id = `sp-genres-${++panels}`;
  genre.setAttribute("list", genres.id);
  let teacher = /** @type {Teacher | null} */ (null);
  let tests = 0;
  form.onsubmit = learn;
  undo.onclick = () => act((one) => one.store.undo(), "The last change is undone.");
  save.onclick = async () => saveFile((await ready).store.exported());
  bring.onclick = () => chosen.click();
  chosen.onchange = add;
  forget.onclick = () => {
    if (forget.dataset.sure) return act((one) => one.store.forget(), "Deleted all labels.");
    forget.dataset.sure = "yes";
    say(forget, "Really forget everything? You cannot undo this");
  };

  // Change the labels, and report the result.
  /** @param {(teacher: Teacher) => Promise<string | void>} what @param {string} text */
  async function act(what, text = "") {
    say(error, "");
    try {
      announce((await what(await ready)) ?? text);
    } catch (wrong) {
      say(error, /** @type {Error} */ (wrong).message);
    }
  }

  async function label(/** @type {PageSong} */ song, /** @type {string} */ name) {
    announce(`Listening to ${song.title} …`);
    await act((one) => one.label(song, name), `Labelled ${song.title} as ${name}.`);
  }

  function learn(/** @type {Event} */ event) {
    event.preventDefault();
    label(list()[choice.selectedIndex], genre.value);
  }

  function add() {
    const [file] = chosen.files ?? [];
    act((one) => one.store.import(file), `Added the songs of ${file.name}.`);
    chosen.value = "";
  }

  function refresh() {
    const at = Math.max(0, choice.selectedIndex);
    choice.replaceChildren(...list().map(({ title }) => h("option", {}, title)));
    choice.selectedIndex = Math.min(at, choice.length - 1);
    form.hidden = !choice.length;
  }

  async function draw() {
    const one = await ready;
    delete forget.dataset.sure;
    say(forget, "Forget everything");
    undo.disabled = !one.store.changes;
    save.disabled = !one.store.songs.length;
    genres.replaceChildren(...one.genres.map((value) => h("option", { value })));
    const byGenre = Map.groupBy(one.store.songs, (song) => song.genre);
    songs.replaceChildren(...[...byGenre.keys()].sort().flatMap((name) => {
      const rows = (byGenre.get(name) ?? []).map((song) => row(one.store, song));
      return [h("p", {}, h("strong", {}, name), ` (${rows.length})`), h("ul", {}, ...rows)];
    }));
    changed();
    test(one.store.songs);
  }

  /** @param {Store} store @param {LearntSong} song */
  function row(store, { sha256, name, title, artist, genre, file }) {
    const { element, about, remove, keep } = copy(parts.row);
    say(about, artist ? `${title} (${artist})` : title);
    remove.ariaLabel = `Remove ${title}`;
    remove.onclick = () => act(() => store.label([{ sha256, genre: "" }]), `Removed ${title}.`);
    keep.ariaLabel = `Keep ${title} on this machine`;
    keep.hidden = !host.keep || !file;
    const told = { name, genre, title, artist };
    keep.onclick = () => act(async () => file && host.keep?.(file, told));
    return element;
  }

  async function test(/** @type {LearntSong[]} */ songs) {
    const mine = ++tests;
    say(results, songs.length ? "Testing on held-out songs …" : "There are no labels yet.");
    if (!songs.length) return;
    // Let the page draw between folds. A change of labels starts another test.
    const trial = await holdOut(songs, () => new Promise((resolve) => setTimeout(resolve, 20)));
    if (mine !== tests) return;
    results.replaceChildren(...inWords(trial, base.genres).map((text) => h("p", {}, text)));
  }

  const ready = Store.open().then((store) => {
    teacher = new Teacher(engine, store, base.genres);
    store.addEventListener("change", draw);
    return teacher;
  });
  ready.then(draw).catch(({ message }) => say(error, `Teaching is not available here: ${message}`));
  refresh();

  return {
    element,
    label,
    // Call this when the list of songs changes.
    refresh,
    get networks() {
      return teacher?.network ? [teacher.network] : [];
    },
    // A song's label, or "".
    genreOf(/** @type {PageSong} */ song) {
      if (!teacher?.store.songs.length) return "";
      const hash = teacher.hashes.get(song);
      if (!hash) teacher.hash(song).then(changed, () => {});
      return teacher.store.songs.find(({ sha256 }) => sha256 === hash)?.genre ?? "";
    },
    // A note for a song's answers, or "".
    mark(/** @type {PageSong} */ song) {
      const genre = this.genreOf(song);
      return genre && `“Your genres” was trained on this song (${genre}).`;
    },
    close: () => teacher?.store.close(),
  };
}
