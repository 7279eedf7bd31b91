// The list of your songs, with each one's predicted genre and buttons.
import { paintGenres } from "./answers.js";
import { clock, copy, drawPlay, h, percent, say, swatch } from "./dom.js";

let lists = 0;

class Row {
  guess = "";
  drawn = "";

  /** @param {Song} song @param {ListActs} acts @param {Named} page */
  constructor(song, acts, page) {
    this.song = song;
    this.acts = acts;
    const parts = copy(page.row);
    this.parts = parts;
    parts.label.setAttribute("list", page.genres.id);
    parts.play.onclick = () => acts.play(song);
    parts.right.onclick = () => acts.label(song, this.guess);
    parts.label.onchange = () => acts.label(song, parts.label.value.trim());
    parts.keep.onclick = () => acts.keep?.(song);
    parts.remove.onclick = () => acts.remove(song);
  }

  draw(/** @type {Session} */ session) {
    const { song, acts, parts } = this;
    const isOpen = session.current === song;
    drawPlay(parts.play, isOpen && session.isPlaying, song.title);
    parts.element.ariaCurrent = String(isOpen);
    const answers = song.answers.get(session.networkFor(song));
    const label = acts.labelOf(song);
    const { title, artist, seconds, error, kind } = song;
    const key = [title, artist, seconds, error, kind?.text, label, answers?.network.name,
      answers?.steps.length, answers?.isWhole].join("|");
    if (key === this.drawn) return;
    this.drawn = key;
    say(parts.title, title);
    say(parts.about, error || [artist, seconds && clock(seconds)].filter(Boolean).join(" · "));
    parts.element.classList.toggle("sp-unread", !!error);
    for (const part of [parts.play, parts.said, parts.strip, parts.labels]) part.hidden = !!error;
    this.#drawAnswer(answers);
    say(parts.right, `It is ${this.guess}`);
    parts.right.ariaLabel = `It is ${this.guess}: label ${title}`;
    parts.right.hidden = !!label || !this.guess || !answers?.isWhole;
    if (document.activeElement !== parts.label) parts.label.value = label;
    parts.label.ariaLabel = `Your label for ${title}`;
    parts.keep.hidden = !acts.keep || !label;
    parts.keep.ariaLabel = `Keep ${title} in data/my-songs`;
    parts.remove.ariaLabel = `Remove ${title} from the list`;
  }

  #drawAnswer(/** @type {Answers | undefined} */ answers) {
    const { said, strip } = this.parts;
    const { width, height } = strip;
    const context = strip.getContext("2d");
    context.clearRect(0, 0, width, height);
    const mean = answers?.mean();
    this.guess = "";
    if (!answers || !mean) return say(said, answers ? "Listening …" : "Waiting …");
    const { kind, seconds } = this.song;
    const to = seconds || answers.until(answers.steps.length - 1, 0);
    const at = (/** @type {number} */ moment) => (moment / to) * width;
    paintGenres(context, answers, { at, from: 0, to, top: 0, bottom: height }, to);
    const { genre, colour, share } = answers.top(mean);
    if (kind?.text) return say(said, `${kind.kind}, not music`);
    this.guess = genre;
    said.replaceChildren(swatch(colour), `${genre} ${percent(share)}`);
  }
}

export class List {
  rows = /** @type {Map<Song, Row>} */ (new Map());

  constructor(/** @type {Named} */ page, /** @type {ListActs} */ acts) {
    this.page = page;
    this.acts = acts;
    page.genres.id = `sp-known-${++lists}`;
  }

  draw(/** @type {Session} */ session) {
    const { rows, acts, page } = this;
    page.empty.hidden = session.songs.length > 0;
    const genres = acts.genres();
    if (genres.join() !== page.genres.dataset.names) {
      page.genres.dataset.names = genres.join();
      page.genres.replaceChildren(...genres.map((value) => h("option", { value })));
    }
    for (const [song, { parts: { element } }] of rows) {
      if (session.songs.includes(song)) continue;
      // Keep the keyboard's focus in its place.
      const next = element.nextElementSibling ?? element.previousElementSibling;
      const hadFocus = element.contains(document.activeElement);
      element.remove();
      rows.delete(song);
      if (hadFocus) (next?.querySelector("button") ?? page.add).focus();
    }
    for (const song of session.songs) {
      const row = rows.get(song) ?? new Row(song, acts, page);
      if (!rows.has(song)) page.songs.append(row.parts.element);
      rows.set(song, row);
      row.draw(session);
    }
  }
}
