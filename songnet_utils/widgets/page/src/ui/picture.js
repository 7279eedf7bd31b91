// The moving picture: the log-mel, genre over time below it, and the playhead across both.
import { paintGenres } from "./answers.js";
import { soundColours } from "./colours.js";
import { clock, isDark } from "./dom.js";

const PIXELS_A_SECOND = 46;
// The seconds in a piece of the picture, which is drawn once and then only moved.
const PIECE = 5;
const RULER = 20;

export class Picture {
  left = 0;
  paintings = 0;
  ratio = 1;
  pieces = /** @type {Map<number, {key: string, canvas: OffscreenCanvas}>} */ (new Map());
  sound = soundColours(false);

  constructor(/** @type {HTMLCanvasElement} */ canvas) {
    this.canvas = canvas;
    this.ink = this.paper = this.faint = this.font = "";
  }

  // Start anew after a change of size or colours.
  refresh() {
    this.pieces.clear();
    const style = getComputedStyle(this.canvas);
    this.ink = style.getPropertyValue("--sp-ink");
    this.paper = style.getPropertyValue("--sp-sunken");
    this.faint = style.getPropertyValue("--sp-faint");
    this.font = style.fontFamily;
    this.sound = soundColours(isDark());
    const ratio = devicePixelRatio || 1;
    this.ratio = ratio;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
  }

  // `x`: pixels of the page, from the canvas's left edge.
  secondsAt(/** @type {number} */ x) {
    return this.left + x / PIXELS_A_SECOND;
  }

  // The second at the left edge. Without a visible future, the playhead is near the right edge.
  /** @param {Scene} scene @param {number} page seconds in view */
  #leftOf({ time, seconds, isFutureShown, isStill, song }, page) {
    if (isStill) return Math.floor(time / page) * page;
    const left = time - page * (song.live || !isFutureShown ? 0.94 : 0.5);
    const last = song.live || !isFutureShown ? Infinity : seconds - page;
    return Math.max(0, Math.min(left, last));
  }

  paint(/** @type {Scene} */ scene) {
    const { width, height } = this.canvas;
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context || !width) return;
    this.paintings += 1;
    const scale = PIXELS_A_SECOND * this.ratio;
    const page = width / scale;
    const { time, isFutureShown } = scene;
    this.left = this.#leftOf(scene, page);
    const origin = Math.round(this.left * scale);
    const head = Math.round(time * scale) - origin;
    context.fillStyle = this.paper;
    context.fillRect(0, 0, width, height);
    context.save();
    if (!isFutureShown) {
      context.beginPath();
      context.rect(0, 0, head, height);
      context.clip();
    }
    const pieceWidth = Math.round(PIECE * scale);
    const last = Math.floor((origin + width) / pieceWidth);
    for (let n = Math.floor(origin / pieceWidth); n <= last; n++) {
      const piece = this.#piece(n, scene, pieceWidth);
      if (piece) context.drawImage(piece, n * pieceWidth - origin, 0);
    }
    for (const n of this.pieces.keys()) if (n < last - 12 || n > last + 12) this.pieces.delete(n);
    context.restore();
    this.paintHead(context, head, isFutureShown && !scene.song.live);
    context.beginPath();
    context.moveTo(head - 5 * this.ratio, 0);
    context.lineTo(head + 5 * this.ratio, 0);
    context.lineTo(head, 7 * this.ratio);
    context.fill();
  }

  // Draw the playhead, and dim the part to its right, which has not been played yet.
  /** @param {CanvasRenderingContext2D} context @param {number} x @param {boolean} isFutureShown */
  paintHead(context, x, isFutureShown) {
    const { width, height } = context.canvas;
    context.fillStyle = this.paper;
    context.globalAlpha = 0.5;
    if (isFutureShown) context.fillRect(x, 0, width - x, height);
    context.globalAlpha = 1;
    context.fillStyle = this.ink;
    context.fillRect(Math.round(x - this.ratio), 0, Math.round(2 * this.ratio), height);
  }

  /** @param {number} n @param {Scene} scene @param {number} width */
  #piece(n, { song, answers, seconds }, width) {
    const { height } = this.canvas;
    const scale = PIXELS_A_SECOND * this.ratio;
    const from = (n * width) / scale;
    const to = Math.min(((n + 1) * width) / scale, song.live ? Infinity : Math.max(seconds, 0.1));
    if (from >= to) return null;
    // The key describes the contents: draw the piece again when there is more.
    const drawn = answers.flatMap((one) => {
      const last = one.endedBy(to);
      return [one.network.name, last, last >= 0 && Math.min(to, one.until(last, seconds))];
    });
    const key = [song.id, song.mel?.until(to), song.mel?.loudest, ...drawn].join("|");
    const found = this.pieces.get(n);
    if (found?.key === key) return found.canvas;
    const canvas = found?.canvas ?? new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (!context) return null;
    context.fillStyle = this.paper;
    context.fillRect(0, 0, width, height);
    const at = (/** @type {number} */ moment) => (moment - from) * scale;
    const ruler = RULER * this.ratio;
    const middle = Math.round((height - ruler) * (answers.length > 1 ? 0.4 : 0.52));
    song.mel?.paint(context, this.sound, { at, from, to, top: 0, bottom: middle });
    const gap = Math.round(6 * this.ratio);
    const tall = (height - middle - ruler - gap * (answers.length - 1)) / answers.length;
    answers.forEach((one, i) => {
      const top = Math.round(middle + ruler + i * (tall + gap));
      paintGenres(context, one, { at, from, to, top, bottom: Math.round(top + tall) }, seconds);
    });
    this.#paintRuler(context, song, { at, from, to, top: middle, bottom: middle + ruler });
    this.pieces.set(n, { key, canvas });
    return canvas;
  }

  // Draw the seconds, or the genres of a medley's parts.
  /** @param {Context} context @param {Song} song @param {Strip} strip */
  #paintRuler(context, song, { at, from, to, top, bottom }) {
    const { ratio } = this;
    const y = (top + bottom) / 2;
    context.font = `${11 * ratio}px ${this.font}`;
    context.textBaseline = "middle";
    context.fillStyle = this.faint;
    const parts = song.clip?.medley ?? [];
    // A name may begin in the previous piece.
    const near = parts.filter(({ start }) => start > from - 5 && start < to);
    for (const { start, genre } of near) {
      context.fillRect(at(start), top, Math.max(1, ratio), bottom - top);
      context.fillText(genre, at(start) + 5 * ratio, y);
    }
    if (parts.length) return;
    const every = 5;
    for (let s = Math.ceil((from - 1) / every) * every; s <= to + 1; s += every) {
      context.textAlign = s ? "center" : "left";
      context.fillText(clock(s), at(s), y);
    }
  }
}
