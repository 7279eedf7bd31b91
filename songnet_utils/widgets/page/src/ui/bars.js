// A network's answer now and for the whole song: the genre in large letters, and bars.
import { copy, h, percent, say, swatch } from "./dom.js";

export class Bars {
  rows = /** @type {Named[]} */ ([]);
  network = /** @type {Network | null} */ (null);
  drawn = "";

  constructor(/** @type {Named} */ templates) {
    this.templates = templates;
    this.parts = copy(templates.answer);
  }

  #begin(/** @type {Network} */ network) {
    this.network = network;
    say(this.parts.name, network.title);
    this.parts.element.ariaLabel = `Prediction by ${network.title}`;
    this.rows = network.genres.map((genre, i) => {
      const row = copy(this.templates.bar);
      say(row.genre, genre);
      for (const part of [row.swatch, row.bar]) part.style.background = network.colours[i];
      return row;
    });
    this.parts.rows.replaceChildren(...this.rows.map(({ element }) => element));
    this.drawn = "";
  }

  // `step`: −1 if none has ended yet; `of`: the last step of the mean over the song.
  /** @param {Answers} answers @param {number} step @param {number} of @param {boolean} isWhole */
  draw(answers, step, of, isWhole) {
    if (answers.network !== this.network) this.#begin(answers.network);
    const first = answers.steps[0]?.end;
    const key = [step, of, isWhole, first].join();
    if (key === this.drawn) return;
    this.drawn = key;
    const { genre, head, verdict } = this.parts;
    const now = answers.steps[step]?.probabilities;
    const mean = answers.mean(of);
    const top = now && answers.top(now);
    const waiting = first ? `First answer at ${first.toFixed(1)} s` : "Listening …";
    genre.replaceChildren(
      ...(top
        ? [swatch(top.colour), top.genre, h("span", { class: "sp-share" }, percent(top.share))]
        : [h("span", { class: "sp-waiting" }, waiting)]),
    );
    this.rows.forEach((row, i) => {
      row.bar.style.transform = `scaleX(${now?.[i] ?? 0})`;
      row.mark.hidden = !mean;
      row.mark.style.left = `${100 * (mean?.[i] ?? 0)}%`;
      say(row.now, now ? percent(now[i]) : "–");
      say(row.song, mean ? percent(mean[i]) : "–");
      row.element.classList.toggle("sp-top", answers.network.genres[i] === top?.genre);
    });
    say(head, isWhole ? "song" : "so far");
    const whole = mean && answers.top(mean);
    verdict.replaceChildren(...(whole ? [
      isWhole ? "Whole song: " : "Song so far: ",
      swatch(whole.colour), h("b", {}, whole.genre), ` ${percent(whole.share)}`,
    ] : []));
  }
}
