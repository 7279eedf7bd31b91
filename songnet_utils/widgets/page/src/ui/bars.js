// What a network says at this moment, and of the whole song: the genre in large letters, and bars.
import { h, percent, say, swatch } from "./dom.js";

/** @typedef {import("./answers.js").Answers} Answers */

export class Bars {
  constructor() {
    this.name = h("div", { class: "sp-network-name" });
    this.genre = h("div", { class: "sp-genre" });
    this.table = h("table", { class: "sp-bars" });
    this.verdict = h("div", { class: "sp-verdict" });
    this.element = h(
      "section", { class: "sp-answer" }, this.name, this.genre, this.table, this.verdict,
    );
    /** @type {{row: HTMLElement, bar: HTMLElement, mark: HTMLElement, now: HTMLElement,
     *   song: HTMLElement}[]} */
    this.rows = [];
    /** @type {import("./answers.js").Network | null} */
    this.network = null;
    this.drawn = "";
  }

  /** @param {import("./answers.js").Network} network */
  #begin(network) {
    this.network = network;
    say(this.name, network.title);
    this.element.setAttribute("aria-label", `What ${network.title} says`);
    this.songHead = h("th", { scope: "col", class: "sp-of-song" }, "song");
    this.rows = network.genres.map((genre, i) => {
      const bar = h("i", { class: "sp-bar" });
      bar.style.background = network.colours[i];
      const mark = h("i", { class: "sp-mark" });
      const now = h("td", { class: "sp-number" });
      const song = h("td", { class: "sp-number sp-of-song" });
      const track = h("td", { class: "sp-track", "aria-hidden": "true" }, h("div", {}, bar, mark));
      const name = h("th", { scope: "row" }, swatch(network.colours[i]), genre);
      return { row: h("tr", {}, name, track, now, song), bar, mark, now, song };
    });
    this.table.replaceChildren(
      h("caption", { class: "sp-hidden" }, "The probability of each genre, in per cent"),
      h("thead", {}, h("tr", {},
        h("td"), h("td", { "aria-hidden": "true" }), h("th", { scope: "col" }, "now"), this.songHead)),
      h("tbody", {}, ...this.rows.map(({ row }) => row)),
    );
    this.drawn = "";
  }

  /**
   * @param {Answers} answers @param {number} step -1: none has ended yet
   * @param {{of: number, isWhole: boolean, waiting: string}} song `of`: the last step that counts
   */
  draw(answers, step, { of, isWhole, waiting }) {
    if (answers.network !== this.network) this.#begin(answers.network);
    const key = `${step} ${of} ${isWhole} ${waiting}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const now = answers.steps[step]?.probabilities;
    const mean = answers.mean(of);
    const top = now && answers.top(now);
    this.genre.replaceChildren(
      ...(top
        ? [swatch(top.colour), top.genre, h("span", { class: "sp-share" }, percent(top.share))]
        : [h("span", { class: "sp-waiting" }, waiting)]),
    );
    this.rows.forEach(({ row, bar, mark, now: cell, song }, i) => {
      bar.style.transform = `scaleX(${now?.[i] ?? 0})`;
      say(cell, now ? percent(now[i]) : "–");
      mark.hidden = !mean;
      if (mean) mark.style.left = `${100 * mean[i]}%`;
      say(song, mean ? percent(mean[i]) : "–");
      row.classList.toggle("sp-top", answers.network.genres[i] === top?.genre);
    });
    if (this.songHead) say(this.songHead, isWhole ? "song" : "so far");
    if (!mean) return this.verdict.replaceChildren();
    const whole = answers.top(mean);
    this.verdict.replaceChildren(
      isWhole ? "The whole song: " : "The song so far: ",
      swatch(whole.colour), h("b", {}, whole.genre), ` ${percent(whole.share)}`,
    );
  }
}
