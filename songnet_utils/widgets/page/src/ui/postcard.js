// A picture of a song to save or share: title, genres, log-mel and genre over time.
import { paintGenres } from "./answers.js";
import { soundColours } from "./colours.js";
import { clock, h, percent } from "./dom.js";

const WIDTH = 1200;
const HEIGHT = 630;
const EDGE = 56;
const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";

/** @param {Song} song @param {Answers} answers @param {Until} until end of the picture */
export async function postcard(song, answers, { seconds, step, until }) {
  const canvas = h("canvas", { width: WIDTH, height: HEIGHT });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#14171d";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const left = await paintCover(context, song.cover);
  /** @param {string} text @param {number} y @param {string} font @param {string} ink */
  const write = (text, y, font, ink, x = left) => {
    context.font = `${font} ${FONT}`;
    context.fillStyle = ink;
    const room = context.textAlign === "center" ? WIDTH : WIDTH - EDGE - x;
    context.fillText(fitted(context, text, room), x, y);
  };
  write(song.title, 100, "700 48px", "#ffffff");
  if (song.artist) write(song.artist, 146, "400 28px", "#b9c0cc");
  const mean = answers.mean(step);
  if (mean) paintShares(context, answers, mean, left);

  const at = (/** @type {number} */ moment) => EDGE + (moment / seconds) * (WIDTH - 2 * EDGE);
  const where = { at, from: 0, to: until };
  song.mel?.paint(context, soundColours(true), { ...where, top: 246, bottom: 386 });
  paintGenres(context, answers, { ...where, top: 394, bottom: 534 }, seconds);
  context.textAlign = "center";
  const every = [5, 10, 30, 60, 300, 600, 1800].find((gap) => seconds / gap <= 12) ?? 3600;
  for (let s = 0; s <= seconds; s += every) write(clock(s), 562, "400 18px", "#b9c0cc", at(s));
  context.textAlign = "left";
  const title = `Genre over time by ${answers.network.title}. Drawn by SongNet's listening page.`;
  write(title, 602, "400 18px", "#b9c0cc", EDGE);

  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const name = song.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "") || "song";
  return new File([blob], `${name}-genre-over-time.png`, { type: "image/png" });
}

/** @param {CanvasRenderingContext2D} context @param {Blob | null} cover */
async function paintCover(context, cover) {
  const bitmap = cover && (await createImageBitmap(cover).catch(() => null));
  if (!bitmap) return EDGE;
  const size = Math.min(bitmap.width, bitmap.height);
  const [x, y] = [(bitmap.width - size) / 2, (bitmap.height - size) / 2];
  context.drawImage(bitmap, x, y, size, size, EDGE, 48, 168, 168);
  return EDGE + 168 + 32;
}

// The most probable genres, each with its colour.
/** @param {Context} context @param {Answers} answers @param {number[]} mean @param {number} left */
function paintShares(context, { network }, mean, left) {
  const order = mean.map((_, i) => i).sort((a, b) => mean[b] - mean[a]).slice(0, 4);
  let x = left;
  for (const [place, i] of order.entries()) {
    context.font = `${place ? 400 : 700} 28px ${FONT}`;
    const text = `${network.genres[i]} ${percent(mean[i])}`;
    const wide = context.measureText(text).width + 68;
    if (x + wide - 32 > WIDTH - EDGE) return;
    context.fillStyle = network.colours[i];
    context.fillRect(x, 181, 24, 24);
    context.fillStyle = "#ffffff";
    context.fillText(text, x + 34, 203);
    x += wide;
  }
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
function fitted(context, text, width) {
  let short = text;
  while (short.length > 1 && context.measureText(short).width > width) {
    short = `${short.slice(0, -2)}…`;
  }
  return short;
}
