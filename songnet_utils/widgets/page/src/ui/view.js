// The visible page, which follows the session.
import html from "../page.html";
import { paintGenres } from "./answers.js";
import { Bars } from "./bars.js";
import { clock, drawPlay, h, isDark, onTheme, partsOf, percent, say } from "./dom.js";
import { List } from "./list.js";
import { Picture } from "./picture.js";

export class View {
  shown = { time: 0, step: -1 };
  isFutureShown = true;
  still = matchMedia("(prefers-reduced-motion: reduce)");
  requested = 0;
  second = 0;
  overviewKey = "";
  cover = /** @type {Blob | null} */ (null);
  mark = (/** @type {Song} */ _) => "";

  /** @param {HTMLElement} place @param {Session} session @param {ListActs} listActs
   * @param {Acts} acts @param {AbortSignal} signal */
  constructor(place, session, listActs, acts, signal) {
    this.session = session;
    this.acts = acts;
    this.signal = signal;
    // Without this, JupyterLab would take the keys.
    const keys = { "data-lm-suppress-shortcuts": "true" };
    const region = { role: "region", "aria-label": "The listening page" };
    this.root = h("div", { class: "sp-page", ...region, ...keys });
    this.root.innerHTML = html;
    const parts = partsOf(this.root);
    this.parts = parts;
    this.list = new List(parts, listActs);
    this.picture = new Picture(parts.stage);
    this.bars = [new Bars(parts), new Bars(parts)];
    parts.answers.append(...this.bars.map((bars) => bars.parts.element));
    parts.share.hidden = !navigator.canShare;
    place.append(this.root);
    this.#listen();
    this.rethink();
  }

  #listen() {
    const { acts, parts, session, signal } = this;
    const { clips, files, network, position, second, speed, stage } = parts;
    parts.open.onclick = parts.add.onclick = () => files.click();
    files.onchange = () => {
      acts.add([...files.files]);
      files.value = "";
    };
    clips.onchange = () => {
      const song = session.clips[Number(clips.value)];
      if (clips.value) session.open(song, { play: session.isPlaying }).catch(() => {});
    };
    const fail = (/** @type {Error} */ { message }) => this.fail(message);
    network.onchange = () => session.use(network.value).catch(fail);
    second.onchange = () => session.compare(second.value);
    speed.onchange = () => (session.player.speed = Number(speed.value));
    parts.microphone.onclick = acts.listen;
    parts.play.onclick = () => session.toggle();
    parts.save.onclick = () => acts.savePicture(false);
    parts.share.onclick = () => acts.savePicture(true);
    parts.dismiss.onclick = () => this.fail("");
    parts.future.onclick = () => {
      this.isFutureShown = !this.isFutureShown;
      say(parts.future, this.isFutureShown ? "Hide the future" : "Show the future");
      this.request();
    };
    position.oninput = () => session.seek(Number(position.value));
    stage.onclick = (/** @type {MouseEvent} */ event) =>
      session.seek(this.picture.secondsAt(event.offsetX));
    this.root.onkeydown = (event) => this.#key(event);
    this.still.addEventListener("change", () => this.request(), { signal });
    onTheme(() => this.rethink(), signal);
    const sizes = new ResizeObserver(() => this.rethink());
    sizes.observe(stage);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.requested);
      this.root.remove();
    });
  }

  #key(/** @type {KeyboardEvent} */ event) {
    // Keys meant for this page must not reach the notebook around it.
    event.stopPropagation();
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (target.closest("select, [type=text], .sp-teach")) return;
    const far = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    if (event.key === " " && !target.closest("button, summary")) this.session.toggle();
    else if (far && (target === this.parts.position || /Left|Right/.test(event.key))) {
      this.session.seek(this.session.time + far * (event.shiftKey ? 5 : 1));
    } else return;
    event.preventDefault();
  }

  // Show an error; `text` is "" for none.
  fail(/** @type {string} */ text) {
    this.parts.errors.hidden = !text;
    say(this.parts.error, text);
  }

  // Report what happened; screen readers read it out.
  announce(/** @type {string} */ text) {
    say(this.parts.status, text);
  }

  // `mark` returns a note for songs that a network was trained on.
  teach(/** @type {HTMLElement} */ panel, /** @type {(song: Song) => string} */ mark) {
    this.parts.teach.append(panel);
    this.parts.teach.hidden = false;
    this.mark = mark;
  }

  // Adapt to a change of size or colours.
  rethink() {
    this.root.dataset.theme = isDark() ? "dark" : "light";
    this.picture.refresh();
    this.overviewKey = "";
    this.request();
  }

  changed(/** @type {What} */ what) {
    const { session, parts } = this;
    if (what === "song") this.fail("");
    if (what === "networks" || what === "song") this.#drawChoices();
    const song = session.current;
    if (what !== "answers") this.list.draw(session);
    else if (song) this.list.rows.get(song)?.draw(session);
    say(parts.microphone, song?.live ? "Stop listening" : "Microphone");
    this.request();
  }

  #drawChoices() {
    const { session, parts } = this;
    const { current, offers, networks, clips } = session;
    parts.examples.hidden = !clips.length;
    const titles = clips.map(({ title, clip }) => {
      return clip?.genre ? `${title} (${clip.genre})` : title;
    });
    fill(parts.clips, [["", "Choose …"], ...titles.map((title, i) => [String(i), title])]);
    const at = clips.findIndex((song) => song === current);
    parts.clips.value = at < 0 ? "" : String(at);
    const name = session.networkFor(current);
    const all = offers.map((offer) => [offer.name, offer.title]);
    fill(parts.network, all);
    parts.network.value = name;
    fill(parts.second, [["", "Nothing"], ...all.filter(([other]) => other !== name)]);
    parts.second.value = session.second === name ? "" : session.second;
    parts.about.replaceChildren(
      ...networks.flatMap(({ title, trainingMusic, caution }) => [
        h("b", {}, title), ` was trained on ${trainingMusic}. ${caution} `,
      ]),
    );
    say(parts.credit, current?.clip?.credit ?? "");
  }

  // Draw in the screen's next frame.
  request() {
    if (this.requested || this.signal.aborted) return;
    this.requested = requestAnimationFrame(() => {
      this.requested = 0;
      this.draw();
      if (this.session.current?.live || !this.session.player.audio.paused) this.request();
    });
  }

  draw() {
    const { session, isFutureShown, root, parts } = this;
    const { current, time, seconds } = session;
    drawPlay(parts.play, session.isPlaying);
    if (!current) return;
    const answers = session.networks
      .map(({ name }) => current.answers.get(name))
      .filter((one) => one !== undefined);
    const steps = answers.map((one) => one.endedBy(current.live ? Infinity : time));
    this.shown = { time, step: steps[0] ?? -1 };
    const isStill = this.still.matches;
    this.picture.paint({ song: current, answers, time, seconds, isFutureShown, isStill });
    this.#drawOverview(answers[0]);
    this.#drawWords(current);
    this.#drawAnswers(answers, steps);
    parts.ear.hidden = !current.live;
    if (current.live) this.#drawEar(current.live);
    root.dataset.state = current.live ? "listening" : session.isPlaying ? "playing" : "paused";
    root.dataset.whole = String(answers.length > 0 && answers.every((one) => one.isWhole));
  }

  #drawWords(/** @type {Song} */ { title, artist, kind, notes, live, cover }) {
    const { parts, session } = this;
    const { time, seconds, networks, current } = session;
    say(parts.title, title);
    say(parts.artist, artist);
    say(parts.kind, kind?.text ?? "");
    const mark = current && networks.some(({ answer }) => answer) && this.mark(current);
    say(parts.notes, [...notes, mark].filter(Boolean).join(" "));
    say(parts.time, live ? clock(time, 1) : `${clock(time, 1)} / ${clock(seconds, 1)}`);
    if (this.cover === cover) return;
    this.cover = cover;
    URL.revokeObjectURL(parts.cover.src);
    parts.cover.hidden = !cover;
    if (cover) parts.cover.src = URL.createObjectURL(cover);
  }

  #drawAnswers(/** @type {Answers[]} */ answers, /** @type {number[]} */ steps) {
    const { parts, isFutureShown, session } = this;
    this.bars.forEach((bars, i) => {
      const one = answers[i];
      bars.parts.element.hidden = !one && i > 0;
      const of = isFutureShown ? one?.steps.length - 1 : steps[i];
      if (one) bars.draw(one, steps[i], of, isFutureShown && one.isWhole);
    });
    parts.answers.classList.toggle("sp-two", answers.length > 1);
    const now = answers[0]?.steps[steps[0]]?.probabilities;
    const { genre, share } = now ? answers[0].top(now) : { genre: "no answer yet", share: 0 };
    const { position } = parts;
    position.max = session.seconds;
    position.value = session.time;
    const said = `${clock(session.time, 1)} of ${clock(session.seconds, 1)}: ${genre}`;
    position.ariaValueText = now ? `${said} ${percent(share)}` : said;
  }

  #drawEar(/** @type {Live} */ { level, delay }) {
    this.parts.level.value = level;
    // Update once a second, because you could not read a number that changes with every step.
    const second = Math.floor(performance.now() / 1000);
    if (second === this.second) return;
    this.second = second;
    const text = `Each answer appears ${delay?.toFixed(2)} s after its sound has ended.`;
    say(this.parts.delay, delay === null ? "Listening …" : text);
    this.root.dataset.delay = String(delay ?? "");
  }

  // Draw the whole song in one line, for an overview and for jumps.
  #drawOverview(/** @type {Answers | undefined} */ answers) {
    const { isFutureShown, session, picture } = this;
    const { overview } = this.parts;
    const { current, time, seconds } = session;
    const ratio = picture.ratio;
    const width = Math.round(overview.clientWidth * ratio);
    const height = Math.round(overview.clientHeight * ratio);
    const x = Math.round((time / seconds) * width);
    const key = [current?.id, answers?.network.name, answers?.steps.length, answers?.isWhole, width,
      Math.round(seconds), x, isFutureShown].join("|");
    if (key === this.overviewKey || !width || !seconds) return;
    this.overviewKey = key;
    Object.assign(overview, { width, height });
    const context = overview.getContext("2d");
    const at = (/** @type {number} */ moment) => (moment / seconds) * width;
    const to = isFutureShown ? seconds : time;
    const strip = { at, from: 0, to, top: 0, bottom: height };
    if (answers) paintGenres(context, answers, strip, seconds);
    picture.paintHead(context, x, isFutureShown);
  }
}

// `choices`: pairs of value and text.
function fill(/** @type {HTMLSelectElement} */ select, /** @type {string[][]} */ choices) {
  const key = JSON.stringify(choices);
  if (select.dataset.choices === key) return;
  select.dataset.choices = key;
  select.replaceChildren(...choices.map(([value, text]) => h("option", { value }, text)));
}
