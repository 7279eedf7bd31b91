// The list of songs that people brought: what each one is said to be, and what can be done with it.
import { paintGenres } from "./answers.js";
import { button, clock, h, icon, option, percent, say, swatch } from "./dom.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./song.js").Song} Song */
/**
 * @typedef {object} Acts
 * @property {(song: Song) => void} play or pause
 * @property {(song: Song, genre: string) => void} label
 * @property {(song: Song) => void} remove
 * @property {((song: Song) => void) | null} keep where Python is
 * @property {() => string[]} genres to label with
 * @property {(song: Song) => string} labelOf a song, or ""
 */

const STRIP = { width: 160, height: 28 };
const NEW = "\n";
const KINDS = "audio/*,video/mp4,.mp3,.wav,.flac,.ogg,.opus,.m4a,.aac,.webm";

class Row {
  /** @param {Song} song @param {Acts} acts */
  constructor(song, acts) {
    this.song = song;
    this.acts = acts;
    this.play = button("", () => acts.play(song), { class: "sp-button sp-round" });
    this.title = h("b", {});
    this.about = h("span", { class: "sp-faint" });
    this.said = h("div", { class: "sp-said" });
    this.strip = h("canvas", { ...STRIP, class: "sp-strip", "aria-hidden": "true" });
    this.right = button("", () => acts.label(song, this.guess), { class: "sp-button sp-right" });
    this.guess = "";
    this.select = h("select", { onchange: () => this.#choose() });
    this.text = h("input", { type: "text", maxlength: 40, hidden: true, onkeydown: (/** @type {KeyboardEvent} */ event) => this.#typed(event) });
    this.text.addEventListener("blur", () => this.#name(false));
    this.keep = button("Keep", () => acts.keep?.(song), { hidden: true });
    this.remove = button("×", () => acts.remove(song), { class: "sp-button sp-quiet" });
    this.labels = h("div", { class: "sp-labels" }, this.right, this.select, this.text, this.keep);
    this.element = h(
      "li", { class: "sp-song" },
      this.play, h("div", { class: "sp-names" }, this.title, this.about),
      this.strip, this.said, this.labels, this.remove,
    );
    this.drawn = "";
    this.options = "";
  }

  #choose() {
    if (this.select.value === NEW) this.#name(true);
    else this.acts.label(this.song, this.select.value);
  }

  /** @param {boolean} isOpen */
  #name(isOpen) {
    this.text.hidden = !isOpen;
    this.select.hidden = isOpen;
    this.text.value = "";
    if (isOpen) this.text.focus();
    else this.select.value = this.acts.labelOf(this.song);
  }

  /** @param {KeyboardEvent} event */
  #typed(event) {
    const genre = this.text.value.trim();
    if (event.key !== "Escape" && (event.key !== "Enter" || !genre)) return;
    this.#name(false);
    if (event.key === "Enter") this.acts.label(this.song, genre);
    this.select.focus();
  }

  /** @param {Session} session */
  draw(session) {
    const { song, acts } = this;
    const isOpen = session.current === song;
    const plays = isOpen && session.isPlaying;
    icon(this.play, plays ? "pause" : "play", `${plays ? "Pause" : "Play"} ${song.title}`);
    this.element.classList.toggle("sp-open", isOpen);
    this.element.classList.toggle("sp-unread", Boolean(song.error));
    if (isOpen) this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
    const answers = song.answers.get(session.networkFor(song));
    const genres = acts.genres();
    const label = acts.labelOf(song);
    const key = [
      song.title, song.artist, song.seconds, song.error, song.kind?.kind, label, genres, answers?.isWhole,
      answers?.steps.length, answers?.network.name,
    ].join("|");
    if (key === this.drawn) return;
    this.drawn = key;
    say(this.title, song.title);
    const facts = [song.artist, song.seconds && clock(song.seconds)];
    say(this.about, song.error || facts.filter(Boolean).join(" · "));
    for (const part of [this.play, this.said, this.strip, this.labels]) part.hidden = !!song.error;
    this.remove.setAttribute("aria-label", `Remove ${song.title} from the list`);
    this.#drawAnswer(answers);
    this.#drawLabels(label, genres, answers);
  }

  /** @param {import("./answers.js").Answers | undefined} answers */
  #drawAnswer(answers) {
    const context = this.strip.getContext("2d");
    context?.clearRect(0, 0, STRIP.width, STRIP.height);
    const mean = answers?.mean();
    this.guess = "";
    if (!answers || !mean || !context) return say(this.said, answers ? "Listening …" : "Waits for its turn");
    const seconds = this.song.seconds || answers.steps[answers.steps.length - 1].end;
    const at = (/** @type {number} */ moment) => (moment / seconds) * STRIP.width;
    paintGenres(context, answers, { at, from: 0, to: seconds, top: 0, bottom: STRIP.height, seconds });
    const { genre, colour, share } = answers.top(mean);
    const { kind } = this.song;
    if (kind?.text) return say(this.said, `${kind.kind[0].toUpperCase()}${kind.kind.slice(1)}, not music`);
    this.guess = genre;
    this.said.replaceChildren(swatch(colour), `${genre} ${percent(share)}`);
  }

  /** @param {string} label @param {string[]} genres
   * @param {import("./answers.js").Answers | undefined} answers */
  #drawLabels(label, genres, answers) {
    const { song, guess } = this;
    this.right.hidden = Boolean(label) || !guess || !answers?.isWhole;
    say(this.right, `It is ${guess}`);
    this.right.setAttribute("aria-label", `It is ${guess}: label ${song.title} so`);
    const all = [...new Set([...genres, ...(label ? [label] : [])])];
    const options = [label, ...all].join("|");
    if (options !== this.options) {
      this.options = options;
      this.select.replaceChildren(
        option("", label ? "No label" : "Label …"),
        ...all.map((genre) => option(genre, genre)),
        option(NEW, "Another genre …"),
      );
    }
    if (this.text.hidden) this.select.value = label;
    this.select.setAttribute("aria-label", `Your label for ${song.title}`);
    this.text.setAttribute("aria-label", `The genre of ${song.title}; Enter sets it`);
    this.keep.hidden = !this.acts.keep || !label;
    this.keep.setAttribute("aria-label", `Keep ${song.title} in data/my-songs`);
  }
}

export class List {
  /** @param {Acts} acts */
  constructor(acts) {
    this.acts = acts;
    this.files = h("input", { type: "file", accept: KINDS, multiple: true, hidden: true });
    const choose = () => this.files.click();
    this.list = h("ul", { class: "sp-songs" });
    this.empty = h("p", { class: "sp-faint" },
      "Nothing yet. Drop songs anywhere on this page: they stay on your computer. " +
      "The first one plays at once, the others wait here.");
    this.element = h(
      "section", { class: "sp-list", "aria-label": "Your songs" },
      h("div", { class: "sp-head" }, h("h3", {}, "Your songs"), button("Add songs", choose)),
      this.empty, this.list,
    );
    /** @type {Map<Song, Row>} */
    this.rows = new Map();
  }

  // Its answers have grown.
  /** @param {Session} session @param {Song | null} song */
  drawSong(session, song) {
    if (song) this.rows.get(song)?.draw(session);
  }

  /** @param {Session} session */
  draw(session) {
    this.empty.hidden = session.songs.length > 0;
    for (const [song, row] of this.rows) {
      if (session.songs.includes(song)) continue;
      // The keyboard goes on where it was.
      const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
      const hadFocus = row.element.contains(document.activeElement);
      row.element.remove();
      this.rows.delete(song);
      if (!hadFocus) continue;
      const others = next?.querySelectorAll("button") ?? this.element.querySelectorAll("button");
      /** @type {HTMLElement} */ (others[others.length - 1]).focus();
    }
    session.songs.forEach((song, place) => {
      let row = this.rows.get(song);
      if (!row) this.rows.set(song, (row = new Row(song, this.acts)));
      if (this.list.children[place] !== row.element) {
        this.list.insertBefore(row.element, this.list.children[place] ?? null);
      }
      row.draw(session);
    });
  }
}
