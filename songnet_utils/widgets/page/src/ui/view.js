// The page as it is seen: it follows the session.
import { paintGenres } from "./answers.js";
import { Bars } from "./bars.js";
import { clock, h, icon, isDark, onTheme, option, percent, say } from "./dom.js";
import { layout } from "./layout.js";
import { onMoves } from "./moves.js";
import { Picture } from "./picture.js";
import { creditOf } from "./words.js";

/** @typedef {import("./answers.js").Answers} Answers */
/** @typedef {import("./session.js").Session} Session */
/**
 * @typedef {object} Acts
 * @property {(files: File[]) => void} add
 * @property {() => void} listen to the microphone, or stop
 * @property {(isShared: boolean) => void} savePicture
 */

export class View {
  /** @param {HTMLElement} place @param {Session} session @param {import("./list.js").List} list
   * @param {Acts} acts @param {AbortSignal} signal */
  constructor(place, session, list, acts, signal) {
    this.session = session;
    this.list = list;
    this.signal = signal;
    this.shown = { time: 0, step: -1 };
    this.isFutureShown = true;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.picture = new Picture();
    this.bars = [new Bars(), new Bars()];
    this.requested = 0;
    this.overviewKey = "";
    /** @type {Blob | null} */
    this.cover = null;
    this.second = 0;
    this.mark = (/** @type {import("./song.js").Song} */ _) => "";
    const { files } = list;
    const parts = layout(
      {
        toggle: () => session.toggle(),
        listen: acts.listen,
        future: () => this.#toggleFuture(),
        savePicture: acts.savePicture,
        dismiss: () => this.fail(""),
      },
      this.picture.canvas,
      this.bars.map(({ element }) => element),
      list.element,
      files,
    );
    this.parts = parts;
    this.root = parts.root;
    place.append(parts.root);
    files.addEventListener("change", () => {
      acts.add([...(files.files ?? [])]);
      files.value = "";
    });
    this.#listen();
    this.rethink();
  }

  #listen() {
    const { session, signal, parts } = this;
    const fail = (/** @type {Error} */ { message }) => this.fail(message);
    parts.clips.addEventListener("change", () => {
      const song = session.clips[Number(parts.clips.value)];
      if (song) session.open(song, { play: session.isPlaying }).catch(() => {});
    });
    parts.network.addEventListener("change", () => session.use(parts.network.value).catch(fail));
    parts.second.addEventListener("change", () => session.compare(parts.second.value));
    parts.speed.addEventListener("change", () => {
      session.player.speed = Number(parts.speed.value);
    });
    onMoves(parts, session, this.picture, signal);
    this.still.addEventListener("change", () => this.request(), { signal });
    onTheme(() => this.rethink(), signal);
    const sizes = new ResizeObserver(() => this.rethink());
    sizes.observe(parts.stage);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.requested);
      parts.root.remove();
    });
  }

  #toggleFuture() {
    this.isFutureShown = !this.isFutureShown;
    say(this.parts.future, this.isFutureShown ? "Hide what comes" : "Show what comes");
    this.request();
  }

  /** @param {string} text "" for none */
  fail(text) {
    this.parts.errors.hidden = !text;
    say(this.parts.error, text);
  }

  // What has happened, for everybody: it is read aloud, too.
  /** @param {string} text */
  announce(text) {
    say(this.parts.status, text);
  }

  /** @param {HTMLElement} panel @param {(song: import("./song.js").Song) => string} mark of songs
   * that a network learnt from */
  teach(panel, mark) {
    this.parts.teach.append(panel);
    this.parts.teach.hidden = false;
    this.mark = mark;
  }

  // Size or colours have changed.
  rethink() {
    this.root.dataset.theme = isDark() ? "dark" : "light";
    this.picture.refresh();
    this.overviewKey = "";
    this.request();
  }

  /** @param {import("./session.js").What} what */
  changed(what) {
    const { session, parts } = this;
    if (what === "song") this.fail("");
    if (what === "answers") this.list.drawSong(session, session.current);
    else if (what !== "ear") this.list.draw(session);
    if (what === "networks" || what === "song") this.#drawChoices();
    if (what === "ear") say(parts.microphone, session.current?.live ? "Stop listening" : "Microphone");
    this.request();
  }

  #drawChoices() {
    const { session, parts } = this;
    const { current, offers, networks, clips } = session;
    parts.clipField.hidden = !clips.length;
    fill(parts.clips, "Choose …", clips.map(({ title, clip }, i) => {
      return [String(i), clip?.medley ? title : `${title} (${clip?.genre})`];
    }));
    const at = clips.findIndex((song) => song === current);
    parts.clips.value = at < 0 ? "" : String(at);
    const name = session.networkFor(current);
    fill(parts.network, "", offers.map((offer) => [offer.name, offer.title]));
    parts.network.value = name;
    const others = offers.filter((offer) => offer.name !== name);
    fill(parts.second, "No other", others.map((offer) => [offer.name, offer.title]));
    parts.second.value = session.second === name ? "" : session.second;
    parts.about.replaceChildren(
      ...networks.flatMap(({ title, trainingMusic, caution }) => [
        h("b", {}, title), ` learnt from ${trainingMusic}. ${caution} `,
      ]),
    );
    say(parts.credit, creditOf(current));
  }

  // Draw with the next picture of the screen.
  request() {
    if (!this.requested && !this.signal.aborted) {
      this.requested = requestAnimationFrame(() => this.#frame());
    }
  }

  #frame() {
    this.requested = 0;
    const { session } = this;
    this.draw();
    if (session.current?.live || !session.player.audio.paused) this.request();
  }

  draw() {
    const { session, isFutureShown, root, parts } = this;
    const { current, time, seconds } = session;
    icon(parts.play, session.isPlaying ? "pause" : "play", session.isPlaying ? "Pause" : "Play");
    if (!current) return;
    const answers = session.networks
      .map(({ name }) => current.answers.get(name))
      .filter((one) => one !== undefined);
    const steps = answers.map((one) => one.endedBy(current.live ? Infinity : time));
    this.shown = { time, step: steps[0] ?? -1 };
    const isStill = this.still.matches;
    this.picture.paint({ song: current, answers, time, seconds, isFutureShown, isStill });
    this.#drawOverview(answers[0]);
    this.#drawWords();
    this.#drawAnswers(answers, steps);
    if (current.live) this.#drawEar(current.live);
    parts.ear.hidden = !current.live;
    root.dataset.state = current.live ? "listening" : session.isPlaying ? "playing" : "paused";
    root.dataset.whole = String(answers.length > 0 && answers.every((one) => one.isWhole));
  }

  #drawWords() {
    const { parts } = this;
    const { current, time, seconds } = this.session;
    if (!current) return;
    say(parts.title, current.title);
    say(parts.artist, current.artist);
    say(parts.kind, current.kind?.text ?? "");
    const isTaught = this.session.networks.some(({ answer }) => answer);
    say(parts.notes, [...current.notes, isTaught && this.mark(current)].filter(Boolean).join(" "));
    say(parts.time, current.live ? clock(time, 1) : `${clock(time, 1)} / ${clock(seconds, 1)}`);
    if (this.cover === current.cover) return;
    this.cover = current.cover;
    URL.revokeObjectURL(parts.cover.src);
    parts.cover.hidden = !current.cover;
    if (current.cover) parts.cover.src = URL.createObjectURL(current.cover);
  }

  /** @param {Answers[]} answers @param {number[]} steps */
  #drawAnswers(answers, steps) {
    const { parts, isFutureShown } = this;
    const { time, seconds } = this.session;
    this.bars.forEach((bars, i) => {
      const one = answers[i];
      bars.element.hidden = !one && i > 0;
      if (!one) return;
      const first = one.steps[0]?.end;
      const waiting = first ? `First answer at ${first.toFixed(1)} s` : "Listening …";
      const isWhole = isFutureShown && one.isWhole;
      const of = isFutureShown ? one.steps.length - 1 : steps[i];
      bars.draw(one, steps[i], { of, isWhole, waiting });
    });
    parts.answers.classList.toggle("sp-two", answers.length > 1);
    const now = answers[0]?.steps[steps[0]]?.probabilities;
    const top = now && answers[0].top(now);
    const said = top ? `: ${top.genre}, ${percent(top.share)}` : "";
    const { stage } = parts;
    stage.setAttribute("aria-valuemax", seconds.toFixed(1));
    stage.setAttribute("aria-valuenow", time.toFixed(1));
    const text = `${time.toFixed(1)} of ${seconds.toFixed(1)} seconds${said}`;
    stage.setAttribute("aria-valuetext", text);
  }

  /** @param {import("./song.js").Live} live */
  #drawEar({ level, delay }) {
    this.parts.level.value = level;
    // A figure that changed with every step could not be read.
    const second = Math.floor(performance.now() / 1000);
    if (second === this.second) return;
    this.second = second;
    const text = `Each answer comes ${delay?.toFixed(2)} s after the last sound it is about.`;
    say(this.parts.delay, delay === null ? "Listening …" : text);
    this.root.dataset.delay = String(delay ?? "");
  }

  // The whole song in one line, to see and to jump.
  /** @param {Answers | undefined} answers */
  #drawOverview(answers) {
    const { isFutureShown, session, picture } = this;
    const { overview } = this.parts;
    const { current, time, seconds } = session;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(overview.clientWidth * ratio);
    const height = Math.round(overview.clientHeight * ratio);
    if (!width || !seconds) return;
    const x = Math.round((time / seconds) * width);
    const key = [
      current?.id, answers?.network.name, answers?.steps.length, answers?.isWhole, width,
      Math.round(seconds), x, isFutureShown,
    ].join("|");
    if (key === this.overviewKey) return;
    this.overviewKey = key;
    overview.width = width;
    overview.height = height;
    const context = overview.getContext("2d");
    if (!context) return;
    const at = (/** @type {number} */ moment) => (moment / seconds) * width;
    const to = isFutureShown ? seconds : time;
    if (answers) paintGenres(context, answers, { at, from: 0, to, top: 0, bottom: height, seconds });
    context.fillStyle = picture.paper;
    context.globalAlpha = 0.55;
    context.fillRect(x, 0, width - x, height);
    context.globalAlpha = 1;
    context.fillStyle = picture.ink;
    context.fillRect(x - ratio, 0, 2 * ratio, height);
  }
}

/** @param {HTMLSelectElement} select @param {string} nothing its first choice, if there is one
 * @param {[string, string][]} choices values and texts */
function fill(select, nothing, choices) {
  const key = JSON.stringify(choices);
  if (select.dataset.choices === key) return;
  select.dataset.choices = key;
  const none = nothing ? [option("", nothing)] : [];
  select.replaceChildren(...none, ...choices.map(([value, text]) => option(value, text)));
}
