// Where a person teaches genres: label a song, see what was learnt and how well, take it back.
import { button, field, h, say } from "../ui/dom.js";
import { Store } from "./store.js";
import { BASE, Teacher } from "./teacher.js";
import { holdOut, inWords } from "./trial.js";

let panels = 0;

/** @param {TeachPlace} place */
export function teachPanel({ engine, host, list, announce, changed }) {
  const known = `sp-genres-${++panels}`;
  let teacher = /** @type {Teacher | null} */ (null);
  let tests = 0;
  const choice = h("select");
  const must = { required: true, pattern: ".*\\S.*" };
  const genre = h("input", { list: known, autocomplete: "off", ...must });
  const genres = h("datalist", { id: known });
  const error = h("p", { class: "sp-error", role: "alert" });
  const songs = h("div");
  const results = h("div");
  const chosen = h("input", { type: "file", accept: ".json", hidden: true, onchange: add });
  const undo = button("Undo", () => act((one) => one.store.undo(), "The last change was undone."));
  const save = button("Export", download);
  const forget = button("Forget everything", () => {
    if (forget.dataset.sure) return act((one) => one.store.forget(), "Everything was forgotten.");
    forget.dataset.sure = "yes";
    say(forget, "Really forget everything? There is no undo");
  });
  const form = h(
    "form", { class: "sp-teach-form", onsubmit: learn },
    field("Song", choice),
    h("label", { class: "sp-field" }, h("span", {}, "Genre, known or new"), genre), genres,
    h("button", { class: "sp-button" }, "Learn this"),
  );
  const element = h(
    "section", { class: "sp-teach", "aria-label": "Teach it your genres" },
    h("h4", {}, "Label a song"),
    h("p", {}, "Label a few songs of two genres or more. A network of your own, “Your genres”, learns " +
      "from them at once, and you can choose it above. All of this stays in your browser."),
    form, error,
    h("h4", {}, "Songs it learnt from"), songs,
    h("div", { class: "sp-buttons" },
      undo, save, button("Import", () => chosen.click()), chosen, forget),
    h("h4", {}, "Before and after"), results,
  );

  // Change what is learnt, and say how it went.
  /** @param {(teacher: Teacher) => Promise<string | void>} what @param {string} text */
  async function act(what, text = "") {
    say(error, "");
    try {
      announce((await what(await ready)) ?? text);
    } catch (wrong) {
      say(error, /** @type {Error} */ (wrong).message);
    }
  }

  /** @param {PageSong} song @param {string} name */
  async function label(song, name) {
    announce(`Listening to ${song.title} …`);
    await act((one) => one.label(song, name), `Learnt: ${song.title} is ${name}.`);
  }

  function learn(/** @type {Event} */ event) {
    event.preventDefault();
    label(list()[choice.selectedIndex], genre.value);
  }

  function add() {
    const [file] = chosen.files ?? [];
    act((one) => one.store.import(file), `The songs of ${file.name} were added.`);
    chosen.value = "";
  }

  async function download() {
    const href = URL.createObjectURL((await ready).store.exported());
    h("a", { href, download: "songnet-your-genres.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
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
    genres.replaceChildren(...(await one.genres()).map((value) => h("option", { value })));
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
    const { keep } = host;
    const remove = () => act(() => store.label([{ sha256, genre: "" }]), `${title} was removed.`);
    return h(
      "li", {}, artist ? `${title} (${artist}) ` : `${title} `,
      button("Remove", remove, { "aria-label": `Remove ${title}` }),
      keep && file && button(
        "Keep", () => act(() => keep(file, { name, genre, title, artist })),
        { "aria-label": `Keep ${title} on this machine` },
      ),
    );
  }

  async function test(/** @type {LearntSong[]} */ songs) {
    const mine = ++tests;
    say(results, songs.length ? "Testing on songs held out …" : "It has learnt nothing yet.");
    if (!songs.length) return;
    const { genres } = await engine.describe(BASE);
    // The page draws between two folds; what was changed meanwhile is tested by another test.
    const trial = await holdOut(songs, () => new Promise((resolve) => setTimeout(resolve, 20)));
    if (mine !== tests) return;
    results.replaceChildren(...inWords(trial, genres).map((text) => h("p", {}, text)));
  }

  const ready = Store.open().then((store) => {
    teacher = new Teacher(engine, store);
    store.addEventListener("change", draw);
    return teacher;
  });
  ready.then(draw).catch(({ message }) => say(error, `Nothing can be taught here: ${message}`));
  refresh();

  return {
    element,
    label,
    // To be called when the list is another one.
    refresh,
    get networks() {
      return teacher?.network ? [teacher.network] : [];
    },
    // Its label; often nothing.
    genreOf(/** @type {PageSong} */ song) {
      if (!teacher?.store.songs.length) return "";
      const hash = teacher.hashes.get(song);
      if (!hash) teacher.hash(song).then(changed, () => {});
      return teacher.store.songs.find(({ sha256 }) => sha256 === hash)?.genre ?? "";
    },
    // What to write beside its answers; often nothing.
    mark(/** @type {PageSong} */ song) {
      const genre = this.genreOf(song);
      return genre && `“Your genres” learnt from this song (${genre}).`;
    },
    close: () => teacher?.store.close(),
  };
}
