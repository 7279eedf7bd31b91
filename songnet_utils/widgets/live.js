// The live song in the browser: it plays, draws and keeps time.
//
// The clock is the <audio> element's: every picture reads `currentTime` and shows the newest step
// that had ended by then. Steps come from Python once, as soon as they are decided (live.py says
// which messages there are). Nothing is fetched from anywhere. common.js stands before this text.
//
// A `Song` below is what one kernel tells (there may be several pictures of it: a second view of
// the same output); `draw` makes one such picture.

const PIXELS_A_SECOND = 46; // of the moving picture
const PLAYHEAD_AT = 0.6; // of its width: more past than future
const PATIENCE = 15_000; // ms without an answer after which a piece is sent or asked for again
const MOST_TILE = 1024; // log-mel columns in one bitmap

// ---- What is known of the song -----------------------------------------------------------------

class Song extends Told {
  constructor(model) {
    super(model);
    this.audio.preload = "auto";
    this.facts = null; // of the song that is open
    this.picture = null;
    this.asked = null; // the network that answers
    this.ends = [];
    this.answers = []; // Float32Array a step
    this.whole = null;
    this.finished = false;
    this.busy = "";
    this.error = "";
    this.upload = null;
    this.sound = null; // the bytes that are being fetched for playing
    this.clips = {};
    this.shouldPlay = false;
    this.audio.addEventListener("error", () => this.cannotPlay());
    // A keyboard's or a headset's own buttons start and stop it, too.
    this.audio.addEventListener("play", () => (this.shouldPlay = true));
    this.audio.addEventListener("pause", () => (this.shouldPlay = false));
    this.tell("hello");
  }

  close() {
    super.close();
    clearTimeout(this.sound?.timer);
    clearTimeout(this.upload?.timer);
    this.audio.pause();
    this.forgetSound();
  }

  on_clips(content) {
    this.clips[content.genre] = content;
  }

  on_busy(content) {
    this.busy = content.text;
  }

  on_error(content) {
    this.busy = "";
    this.error = content.text;
    if (this.upload?.sent) this.upload = null;
  }

  on_song(content) {
    if (this.facts?.song === content.song) return; // told again, for another page
    this.audio.pause();
    this.forgetSound();
    this.facts = content;
    this.picture = null;
    this.forgetAnswers();
    this.busy = "";
    this.error = "";
    const uploaded = this.upload;
    if (uploaded && content.upload === uploaded.number) {
      this.upload = null;
      if (this.canPlay(content.mime)) {
        this.play_from(uploaded.file);
        return;
      }
    }
    if (this.canPlay(content.mime)) this.fetchSound(false, content.mime, content.bytes);
    else this.askForPlayable();
  }

  // Python names no kind where the browser's clock would be wrong after a seek.
  canPlay(mime) {
    return mime !== "" && this.audio.canPlayType(mime) !== "";
  }

  on_picture(content, buffers) {
    if (content.song !== this.facts?.song) return;
    const { columns, bands } = content;
    if (!this.picture || this.picture.song !== content.song) {
      this.picture = { ...content, bytes: new Uint8Array(columns * bands), filled: 0 };
    }
    this.picture.bytes.set(bytesOf(buffers[0]), content.first * bands);
    this.picture.filled = content.first + buffers[0].byteLength / bands;
  }

  on_asked(content) {
    this.busy = "";
    if (this.asked?.run !== content.run) this.forgetAnswers();
    this.asked = content;
    if (this.welcome) this.welcome.networks = content.networks;
  }

  forgetAnswers() {
    this.ends = [];
    this.answers = [];
    this.whole = null;
    this.finished = false;
  }

  on_steps(content, buffers) {
    if (content.run !== this.asked?.run) return;
    const times = new Float64Array(aligned(buffers[0], 8));
    const values = new Float32Array(aligned(buffers[1], 4));
    const genres = this.asked.genres.length;
    for (let i = 0; i < times.length / 2; i++) {
      this.ends[content.first + i] = times[2 * i + 1];
      this.answers[content.first + i] = values.subarray(i * genres, (i + 1) * genres);
    }
    const sum = new Float64Array(genres);
    for (const answer of this.answers) for (let g = 0; g < genres; g++) sum[g] += answer[g];
    this.whole = sum.map((value) => value / this.answers.length);
  }

  on_whole(content) {
    if (content.run !== this.asked?.run) return;
    this.whole = Float64Array.from(content.genre);
    this.finished = true;
  }

  // The newest step that had ended by `seconds`; −1: none had yet; −2: Python is not there yet.
  stepAt(seconds) {
    const { ends } = this;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= seconds) low = middle + 1;
      else high = middle;
    }
    const newest = ends.at(-1);
    if (!this.finished && this.asked && seconds >= this.asked.first_answer) {
      if (newest === undefined || seconds >= newest + this.asked.step_seconds) return -2;
    }
    return low - 1;
  }

  // ---- The sound to play ----

  forgetSound() {
    clearTimeout(this.sound?.timer);
    this.sound = null;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    this.audio.removeAttribute("src");
    this.audio.load(); // or the old song stays in the player
    this.shouldPlay = false;
    this.encoded = false;
  }

  play_from(blob) {
    const at = this.audio.src ? this.audio.currentTime : 0;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(blob);
    this.audio.src = this.address;
    this.audio.load();
    if (at) this.audio.currentTime = at;
    if (this.shouldPlay) this.play();
  }

  // Ask for the sound in pieces: each is asked for, so none is lost without a word.
  fetchSound(encoded, mime, bytes) {
    clearTimeout(this.sound?.timer);
    this.encoded = encoded;
    this.sound = { encoded, mime, bytes, at: 0, pieces: [], song: this.facts.song };
    this.askForPiece();
  }

  askForPiece() {
    const { sound } = this;
    if (!sound) return;
    this.tell("piece", { song: sound.song, encoded: sound.encoded, at: sound.at });
    clearTimeout(sound.timer);
    sound.timer = setTimeout(() => this.askForPiece(), PATIENCE);
  }

  on_piece(content, buffers) {
    const { sound } = this;
    if (!sound || content.song !== sound.song || content.encoded !== sound.encoded) return;
    if (content.at !== sound.at) return;
    sound.pieces.push(bytesOf(buffers[0]).slice());
    sound.at += buffers[0].byteLength;
    if (sound.at < sound.bytes) {
      this.askForPiece();
      return;
    }
    clearTimeout(sound.timer);
    this.sound = null;
    this.play_from(new Blob(sound.pieces, { type: sound.mime }));
  }

  askForPlayable() {
    this.encoded = true;
    this.tell("playable", { song: this.facts.song });
  }

  on_playable(content) {
    if (content.song !== this.facts?.song || !this.encoded || this.sound) return;
    this.fetchSound(true, content.mime, content.bytes);
  }

  cannotPlay() {
    if (!this.facts || !this.audio.getAttribute("src")) return;
    if (!this.encoded) {
      this.askForPlayable();
      return;
    }
    this.error = `${this.facts.name}: this browser cannot play the sound, not even as FLAC. Try another browser.`;
    this.changed("error");
  }

  play() {
    this.shouldPlay = true;
    if (this.audio.getAttribute("src")) {
      this.audio.play().catch((error) => {
        // A new song or a pause takes the place of an unfinished start; that is no failure.
        if (error.name === "AbortError" || error.name === "NotSupportedError") return;
        this.error = `The browser did not start the sound (${error.message}). Press play again.`;
        this.changed("error");
      });
    }
    this.changed("play");
  }

  pause() {
    this.shouldPlay = false;
    this.audio.pause();
    this.changed("play");
  }

  get seconds() {
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.facts?.seconds ?? 0);
  }

  seek(seconds) {
    if (!this.facts) return;
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.seconds);
    this.changed("seek");
  }

  // ---- Uploads: pieces, each acknowledged ----

  send(file) {
    this.error = "";
    if (!this.welcome) return;
    const { most_bytes } = this.welcome;
    if (file.size > most_bytes) {
      this.error = `${file.name}: has ${megabytes(file.size)}; at most ${megabytes(most_bytes)} are taken. Cut it, or export it in a smaller format (mp3).`;
      this.changed("error");
      return;
    }
    if (this.upload) this.cancelUpload();
    const number = crypto.getRandomValues(new Uint32Array(1))[0];
    this.upload = { number, file, taken: 0, sent: false, waits: false };
    this.tell("upload", { upload: number, name: file.name, bytes: file.size });
    this.watchUpload(() => this.tell("upload", { upload: number, name: file.name, bytes: file.size }));
    this.changed("upload");
  }

  watchUpload(again) {
    const { upload } = this;
    clearTimeout(upload.timer);
    upload.timer = setTimeout(() => {
      if (this.upload !== upload || upload.sent) return;
      upload.waits = true;
      again();
      this.watchUpload(again);
      this.changed("upload");
    }, PATIENCE);
  }

  async on_taken(content) {
    const { upload } = this;
    if (!upload || upload.number !== content.upload || upload.sent) return;
    upload.taken = content.bytes;
    upload.waits = false;
    if (upload.taken >= upload.file.size) {
      upload.sent = true;
      clearTimeout(upload.timer);
      return;
    }
    const at = upload.taken;
    const most = this.welcome.most_in_message;
    let bytes;
    try {
      bytes = await upload.file.slice(at, at + most).arrayBuffer();
    } catch (error) {
      this.cancelUpload();
      this.error = `${upload.file.name}: could not be read to its end (${error.message}). Is it still there?`;
      this.changed("error");
      return;
    }
    if (this.upload !== upload || upload.taken !== at) return;
    const post = () => this.tell("chunk", { upload: upload.number, at }, [bytes]);
    post();
    this.watchUpload(post);
  }

  cancelUpload() {
    const { upload } = this;
    if (!upload) return;
    clearTimeout(upload.timer);
    this.upload = null;
    if (!upload.sent) this.tell("cancel", { upload: upload.number });
    this.changed("upload");
  }
}

// ---- The picture of it -------------------------------------------------------------------------

function draw(song, el) {
  const { signal, on, end } = begin(song);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // -- The pieces of the page --
  const genreSelect = h("select", { "aria-label": "Genre of the clips" });
  const clipSelect = h("select", { "aria-label": "Clip" });
  const corpusPart = h("div", { class: "sn-field sn-corpus" }, [
    h("span", { class: "sn-label" }, "Choose a clip"),
    h("div", { class: "sn-pair" }, [genreSelect, clipSelect]),
  ]);
  const fileInput = h("input", {
    ...{ type: "file", class: "sn-file", tabindex: "-1", "aria-hidden": "true" },
    accept: "audio/*,video/mp4,.mp3,.wav,.flac,.ogg,.opus,.au,.aiff,.aif,.m4a,.aac,.webm,.wma",
  });
  const uploadButton = h("button", { type: "button", class: "sw-button" }, "Upload a song");
  const uploadLabel = h("span", { class: "sn-label" }, "or your own");
  const uploadPart = h("div", { class: "sn-field" }, [
    uploadLabel,
    uploadButton,
    fileInput,
  ]);
  const networkSelect = h("select", { "aria-label": "Network that answers" });
  const networkPart = h("div", { class: "sn-field sn-network" }, [
    h("span", { class: "sn-label" }, "Network"),
    networkSelect,
  ]);
  const sources = h("div", { class: "sn-sources" }, [corpusPart, uploadPart, networkPart]);

  const progress = h("progress", { max: "1", value: "0", "aria-label": "Upload" });
  const progressText = h("span", {});
  const cancel = h("button", { type: "button", class: "sn-quiet" }, "Cancel");
  const uploadRow = h("div", { class: "sn-upload", hidden: "" }, [progress, progressText, cancel]);

  const errorText = h("span", {});
  const dismiss = h("button", { type: "button", class: "sn-quiet", "aria-label": "Dismiss" }, "×");
  const errorRow = h("div", { class: "sw-error sn-error", role: "alert", hidden: "" }, [errorText, dismiss]);

  const play = h("button", { type: "button", class: "sw-play sn-play", "aria-label": "Play" });
  play.innerHTML = ICON.play;
  const title = h("div", { class: "sn-title" }, "No song yet");
  const about = h("div", { class: "sn-about" });
  const clock = h("div", { class: "sn-clock", "aria-hidden": "true" });
  const transport = h("div", { class: "sn-transport" }, [
    play,
    h("div", { class: "sn-names" }, [title, about]),
    clock,
  ]);

  const canvas = h("canvas", { "aria-hidden": "true" });
  const stage = h(
    "div",
    {
      ...{ class: "sn-stage", role: "slider", tabindex: "0" },
      ...{ "aria-label": "Position in the song", "aria-valuemin": "0", "aria-valuemax": "0" },
      "aria-valuenow": "0",
    },
    [
      canvas,
      h("span", { class: "sn-caption sn-caption-mel", "aria-hidden": "true" }, "log-mel"),
      h("span", { class: "sn-caption sn-caption-genre", "aria-hidden": "true" }, "genre over time"),
    ],
  );
  const overview = h("canvas", { class: "sn-overview", "aria-hidden": "true" });
  const pictures = h("div", { class: "sn-pictures" }, [stage, overview]);

  const belief = h("div", { class: "sn-belief" });
  const status = h("div", { class: "sn-status", role: "status" });
  const table = h("table", { class: "sw-table sn-table" });
  const network = h("div", { class: "sn-about sn-who" });
  const verdict = h("div", { class: "sn-verdict" });
  const answers = h("div", { class: "sn-answers" }, [belief, table, verdict]);
  const heard = h("div", { class: "sn-status sn-heard" });

  const root = h(
    "div",
    {
      ...{ class: "sw-widget sn-live", role: "group", "aria-label": "Live song" },
      "data-lm-suppress-shortcuts": "true", // or JupyterLab takes the keys
    },
    [
      sources,
      uploadRow,
      errorRow,
      transport,
      h("div", { class: "sn-main" }, [pictures, answers]),
      h("div", { class: "sn-foot" }, [network, status, heard]),
      h("div", { class: "sn-drop", "aria-hidden": "true" }, "Drop the song to hear it"),
    ],
  );
  root.audio = song.audio;
  root.song = song;
  el.append(root);

  // -- What people do --
  const toggle = () => (song.audio.paused && !song.shouldPlay ? song.play() : song.pause());

  on(play, "click", toggle);
  on(uploadButton, "click", () => fileInput.click());
  on(fileInput, "change", () => {
    if (fileInput.files[0]) song.send(fileInput.files[0]);
    fileInput.value = "";
  });
  on(cancel, "click", () => song.cancelUpload());
  on(dismiss, "click", () => {
    song.error = "";
    song.changed("error");
  });
  on(genreSelect, "change", () => listClips(genreSelect.value));
  on(clipSelect, "change", () => {
    if (clipSelect.value) song.tell("choose", { clip: clipSelect.value });
  });
  on(networkSelect, "change", () => song.tell("ask", { network: Number(networkSelect.value) }));

  on(stage, "keydown", (event) => {
    const far = event.shiftKey ? 5 : 1;
    const now = song.audio.currentTime;
    const moves = {
      ...{ ArrowLeft: now - far, ArrowDown: now - far, ArrowRight: now + far, ArrowUp: now + far },
      ...{ PageDown: now - 10, PageUp: now + 10, Home: 0, End: song.seconds },
    };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in moves) song.seek(moves[event.key]);
    else if (event.key === " ") toggle();
    else return;
    event.preventDefault();
  });
  // Keys meant for the widget are not for the notebook around it.
  on(root, "keydown", (event) => event.stopPropagation());

  // A click goes to the moment under it; a drag moves the picture under the playhead.
  let held = null;
  on(stage, "pointerdown", (event) => {
    if (event.button !== 0 || !song.facts) return;
    held = { x: event.clientX, from: song.audio.currentTime, moved: false };
    stage.setPointerCapture(event.pointerId);
  });
  on(stage, "pointermove", (event) => {
    if (!held) return;
    const far = event.clientX - held.x;
    held.moved ||= Math.abs(far) > 4;
    if (held.moved) song.seek(held.from - far / PIXELS_A_SECOND);
  });
  on(stage, "pointerup", (event) => {
    if (held && !held.moved) {
      const x = event.clientX - stage.getBoundingClientRect().left;
      song.seek(shown.left + x / PIXELS_A_SECOND);
    }
    held = null;
  });
  on(stage, "pointercancel", () => (held = null));

  let scrubbing = false;
  const scrub = (event) => {
    const box = overview.getBoundingClientRect();
    song.seek(((event.clientX - box.left) / box.width) * song.seconds);
  };
  on(overview, "pointerdown", (event) => {
    if (event.button !== 0 || !song.facts) return;
    scrubbing = true;
    overview.setPointerCapture(event.pointerId);
    scrub(event);
  });
  on(overview, "pointermove", (event) => scrubbing && scrub(event));
  on(overview, "pointerup", () => (scrubbing = false));
  on(overview, "pointercancel", () => (scrubbing = false));

  let over = 0; // dragenter and dragleave come for every element inside, too
  const holdsFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  on(root, "dragenter", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    over += 1;
    root.classList.add("sn-over");
  });
  on(root, "dragover", (event) => holdsFile(event) && event.preventDefault());
  on(root, "dragleave", () => {
    over = Math.max(0, over - 1);
    if (!over) root.classList.remove("sn-over");
  });
  on(root, "drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over = 0;
    root.classList.remove("sn-over");
    if (event.dataTransfer.files.length > 1) {
      song.error = "One song at a time, please: drop a single file.";
      song.changed("error");
    } else if (event.dataTransfer.files[0]) song.send(event.dataTransfer.files[0]);
  });

  // -- What is told in words --
  function listClips(genre) {
    const known = song.clips[genre];
    if (!known) {
      clipSelect.replaceChildren(h("option", { value: "" }, "…"));
      song.tell("clips", { genre });
      return;
    }
    const options = known.clips.map(([id, name]) => h("option", { value: id }, name));
    const first = known.of > known.clips.length ? `First ${known.clips.length} of ${known.of}` : "Choose…";
    clipSelect.replaceChildren(h("option", { value: "" }, first), ...options);
    clipSelect.value = song.facts?.clip ?? "";
    if (clipSelect.selectedIndex < 0) clipSelect.value = "";
  }

  function sayWelcome() {
    const { corpus, networks } = song.welcome;
    corpusPart.hidden = !corpus;
    uploadLabel.textContent = corpus ? "or your own" : "Your own song";
    if (corpus && !genreSelect.options.length) {
      corpusPart.querySelector(".sn-label").textContent = `Choose a clip of ${corpus.name}`;
      for (const [genre, count] of corpus.genres) {
        genreSelect.append(h("option", { value: genre }, `${genre} (${count})`));
      }
      listClips(genreSelect.value);
    }
    const labels = networks.map((label, i) => h("option", { value: String(i) }, label));
    networkSelect.replaceChildren(...labels);
    networkSelect.disabled = networks.length < 2;
    if (song.asked) networkSelect.value = String(song.asked.network);
  }

  function noSong() {
    return song.welcome?.corpus ? "Choose a clip, or upload or drop a song." : "Upload a song, or drop one here.";
  }

  function saySong() {
    const { facts } = song;
    title.textContent = facts ? facts.title : "No song yet";
    const known = facts?.clip
      ? [`${facts.from}: labelled ${facts.genre}`, facts.licence]
      : [facts ? "your own song" : noSong()];
    about.textContent = known.filter(Boolean).join(" · ");
    if (facts?.clip && genreSelect.value !== facts.genre) genreSelect.value = facts.genre;
    if (song.welcome?.corpus && genreSelect.value) listClips(genreSelect.value);
  }

  let rows = [];
  function sayNetwork() {
    const { asked } = song;
    if (!asked) return;
    sayWelcome();
    network.replaceChildren(
      h("b", {}, asked.name),
      ` learnt from ${asked.training_music}.`,
      ...(asked.caution ? [" ", h("span", { class: "sn-caution" }, asked.caution)] : []),
    );
    rows = asked.genres.map((genre, i) => {
      const bar = h("i", { class: "sn-bar" });
      const mark = h("i", { class: "sn-mark" });
      bar.style.background = asked.colours[i];
      const swatch = h("i", { class: "sw-swatch sn-swatch" });
      swatch.style.background = asked.colours[i];
      const now = h("td", { class: "sn-number" });
      const whole = h("td", { class: "sn-number sn-whole" });
      const track = h("td", { class: "sn-track", "aria-hidden": "true" }, [
        h("div", {}, [bar, mark]),
      ]);
      const row = h("tr", {}, [h("th", { scope: "row" }, [swatch, genre]), track, now, whole]);
      return { row, bar, mark, now, whole };
    });
    table.replaceChildren(
      h("caption", { class: "sw-hidden" }, "What the network believes, in per cent"),
      h("thead", {}, [
        h("tr", {}, [
          h("td", {}),
          h("td", { "aria-hidden": "true" }),
          h("th", { scope: "col" }, "now"),
          h("th", { scope: "col", class: "sn-whole" }, "song"),
        ]),
      ]),
      h("tbody", {}, rows.map(({ row }) => row)),
    );
    shown.step = undefined;
    shown.run = undefined;
  }

  function sayUpload() {
    const { upload } = song;
    uploadRow.hidden = !upload;
    if (!upload) return;
    const share = upload.file.size ? upload.taken / upload.file.size : 1;
    progress.value = share;
    progressText.textContent = upload.sent
      ? `${upload.file.name}: here, decoding …`
      : upload.waits
        ? `${upload.file.name}: waiting for the kernel (is a cell running?)`
        : `${upload.file.name}: ${Math.floor(share * 100)} % of ${megabytes(upload.file.size)}`;
    cancel.hidden = upload.sent;
  }

  function sayError() {
    errorRow.hidden = !song.error;
    if (errorText.textContent !== song.error) errorText.textContent = song.error;
  }

  function sayStatus() {
    const { facts, asked, finished, ends } = song;
    const text = song.busy || (facts && !song.audio.getAttribute("src") ? "Fetching the sound …" : "");
    if (status.textContent !== text) status.textContent = text;
    const far = facts && asked && !finished && ends.length;
    heard.textContent = far ? `Heard up to ${time(ends.at(-1))} of ${time(facts.seconds)}` : "";
    const { audio } = song;
    root.dataset.state = !facts
      ? song.busy ? "busy" : "empty"
      : audio.ended ? "ended" : audio.paused ? "ready" : "playing";
    root.dataset.finished = String(finished);
    root.dataset.song = facts ? String(facts.song) : "";
    root.dataset.sound = audio.readyState >= 2 ? "there" : "";
    const plays = !audio.paused || song.shouldPlay;
    if (play.dataset.plays !== String(plays)) {
      play.dataset.plays = String(plays);
      play.innerHTML = plays ? ICON.pause : ICON.play;
      play.setAttribute("aria-label", plays ? "Pause" : "Play");
    }
    play.disabled = !facts;
  }

  // -- The moving picture --
  let ink = null; // colours of the theme
  let tiles = []; // bitmaps of the log-mel, in that ink
  let overviewBitmap = null;
  const shown = { left: 0, step: undefined, run: undefined };

  function readTheme() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    ink = {
      paper: colour("--sw-paper"),
      line: colour("--sw-line"),
      text: colour("--sw-text"),
      faint: colour("--sw-faint"),
      sound: colour("--sw-sound").split(/[\s,]+/).map(Number),
      font: style.fontFamily,
    };
    tiles = [];
    overviewBitmap = null;
  }

  function tile(number) {
    const { picture } = song;
    const first = number * MOST_TILE;
    const filled = Math.min(MOST_TILE, picture.filled - first);
    if (filled <= 0) return null;
    if (tiles[number]?.filled === filled) return tiles[number];
    const bitmap = new OffscreenCanvas(filled, picture.bands);
    const pixels = new ImageData(filled, picture.bands);
    const [red, green, blue] = ink.sound;
    for (let x = 0; x < filled; x++) {
      for (let band = 0; band < picture.bands; band++) {
        const value = picture.bytes[(first + x) * picture.bands + band] / 255;
        const at = 4 * ((picture.bands - 1 - band) * filled + x);
        pixels.data[at] = red;
        pixels.data[at + 1] = green;
        pixels.data[at + 2] = blue;
        pixels.data[at + 3] = 255 * value ** 1.6;
      }
    }
    bitmap.getContext("2d").putImageData(pixels, 0, 0);
    tiles[number] = { bitmap, filled, first };
    return tiles[number];
  }

  function fit(target) {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(target.clientWidth * ratio);
    const height = Math.round(target.clientHeight * ratio);
    if (target.width !== width || target.height !== height) {
      target.width = width;
      target.height = height;
      overviewBitmap = null;
    }
    return ratio;
  }

  function paint() {
    if (!root.isConnected) return;
    if (!ink) readTheme();
    const { audio, asked, facts } = song;
    const now = facts ? audio.currentTime : 0;
    const step = asked && facts ? song.stepAt(now) : -1;
    paintStage(now);
    paintOverview(now);
    sayBelief(now, step);
    sayStatus();
    clock.textContent = facts ? `${time(now, 1)} / ${time(song.seconds, 1)}` : "";
    root.dataset.playhead = String(now);
    root.dataset.step = String(step);
    root.dataset.steps = String(song.ends.length);
    root.dataset.painted = String(Number(root.dataset.painted ?? 0) + 1);
  }

  function paintStage(now) {
    const ratio = fit(canvas);
    const context = canvas.getContext("2d");
    const { width, height } = canvas;
    const scale = PIXELS_A_SECOND * ratio;
    context.clearRect(0, 0, width, height);
    const gap = Math.round(22 * ratio); // between the two pictures, for the seconds
    const middle = Math.round((height - gap) * 0.44);
    if (!song.facts || !width) return;
    // Quiet: where motion is unwelcome the picture turns pages and only the playhead moves.
    const page = width / scale;
    const left = still.matches ? Math.floor(now / page) * page : now - PLAYHEAD_AT * page;
    const head = Math.round((now - left) * scale);
    const at = (seconds) => (seconds - left) * scale;
    shown.left = left;

    paintMel(context, at, left, left + page, middle);
    paintGenres(context, at, left, left + page, middle + gap, height, song.ends);

    // What lies right of the playhead has not been heard yet.
    context.save();
    context.globalAlpha = 0.55;
    context.fillStyle = ink.paper;
    context.fillRect(head, 0, width - head, height);
    context.restore();

    context.fillStyle = ink.faint;
    context.font = `${11 * ratio}px ${ink.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const every = 5;
    for (let s = Math.max(0, Math.ceil(left / every) * every); s <= Math.min(left + page, song.seconds); s += every) {
      context.fillText(time(s), at(s), middle + gap / 2);
    }
    context.fillStyle = ink.text;
    context.fillRect(head - Math.round(ratio), 0, Math.max(2, Math.round(2 * ratio)), height);
  }

  function paintMel(context, at, from, to, bottom) {
    const { picture } = song;
    if (!picture) return;
    const first = Math.max(0, Math.floor(from / picture.seconds));
    const last = Math.min(picture.columns - 1, Math.ceil(to / picture.seconds));
    for (let n = Math.floor(first / MOST_TILE); n <= Math.floor(last / MOST_TILE); n++) {
      const piece = tile(n);
      if (!piece) continue;
      // A frame's column lies around its centre.
      const x = at((piece.first - 0.5) * picture.seconds);
      const end = at((piece.first + piece.filled - 0.5) * picture.seconds);
      context.drawImage(piece.bitmap, x, 0, end - x, bottom);
    }
  }

  // Step k stands from the moment it is decided until the next one is.
  function paintGenres(context, at, from, to, top, bottom) {
    const { ends, answers, asked } = song;
    if (!ends.length) return;
    for (let k = Math.max(0, song.stepAt(from)); k < ends.length && ends[k] < to; k++) {
      const x = Math.round(at(ends[k]));
      const until = ends[k + 1] ?? (song.finished ? song.seconds : ends[k] + asked.step_seconds);
      const wide = Math.round(at(Math.max(until, ends[k]))) - x;
      let sum = 0;
      let y = top;
      for (let g = 0; g < asked.genres.length; g++) {
        sum += answers[k][g];
        const next = Math.round(top + (bottom - top) * Math.min(1, sum));
        context.fillStyle = asked.colours[g];
        context.fillRect(x, y, wide, next - y);
        y = next;
      }
    }
  }

  function paintOverview(now) {
    fit(overview);
    const context = overview.getContext("2d");
    const { width, height } = overview;
    context.clearRect(0, 0, width, height);
    if (!song.facts || !width) return;
    if (!overviewBitmap || overviewBitmap.steps !== song.ends.length || overviewBitmap.run !== song.asked?.run) {
      overviewBitmap = { bitmap: summarise(width, height), steps: song.ends.length, run: song.asked?.run };
    }
    context.drawImage(overviewBitmap.bitmap, 0, 0);
    const x = Math.round((now / song.seconds) * width);
    context.globalAlpha = 0.6;
    context.fillStyle = ink.paper;
    context.fillRect(x, 0, width - x, height);
    context.globalAlpha = 1;
    context.fillStyle = ink.text;
    context.fillRect(x - 1, 0, Math.max(2, Math.round(devicePixelRatio)), height);
  }

  // The whole song, a column a pixel: the mean of the steps that are decided within it.
  function summarise(width, height) {
    const bitmap = new OffscreenCanvas(width, height);
    const context = bitmap.getContext("2d");
    const { ends, answers, asked } = song;
    const seconds = song.facts.seconds;
    for (let k = 0; k < ends.length; ) {
      const x = Math.floor((ends[k] / seconds) * width);
      const mean = new Float64Array(asked.genres.length);
      let count = 0;
      for (; k < ends.length && Math.floor((ends[k] / seconds) * width) === x; k++, count++) {
        for (let g = 0; g < mean.length; g++) mean[g] += answers[k][g];
      }
      const until = k < ends.length ? ends[k] : song.finished ? seconds : ends[k - 1] + asked.step_seconds;
      const wide = Math.max(1, Math.ceil((until / seconds) * width) - x);
      let sum = 0;
      let y = 0;
      for (let g = 0; g < mean.length; g++) {
        sum += mean[g] / count;
        const next = Math.round(height * Math.min(1, sum));
        context.clearRect(x, y, wide, next - y);
        context.fillStyle = asked.colours[g];
        context.fillRect(x, y, wide, next - y);
        y = next;
      }
    }
    return bitmap;
  }

  function sayBelief(now, step) {
    const { asked, facts } = song;
    const run = asked && `${asked.run} ${song.ends.length} ${song.finished}`;
    if (step === shown.step && run === shown.run) return;
    shown.step = step;
    shown.run = run;
    const answer = step >= 0 ? song.answers[step] : null;
    root.dataset.probabilities = answer ? Array.from(answer).join(" ") : "";
    let text = "";
    belief.replaceChildren();
    if (answer) {
      const top = answer.indexOf(Math.max(...answer));
      const swatch = h("i", { class: "sw-swatch sn-swatch" });
      swatch.style.background = asked.colours[top];
      text = `${asked.genres[top]} ${percent(answer[top])}`;
      belief.append(swatch, asked.genres[top], h("span", { class: "sn-share" }, percent(answer[top])));
    } else if (facts && asked) {
      text =
        step === -1
          ? `listening… first answer at ${asked.first_answer.toFixed(1)} s`
          : "listening… not there yet";
      belief.append(h("span", { class: "sn-listening" }, text));
    }
    rows.forEach(({ row, bar, mark, now: cell, whole: wholeCell }, g) => {
      const p = answer ? answer[g] : 0;
      bar.style.width = `${p * 100}%`;
      cell.textContent = answer ? percent(p) : "–";
      mark.hidden = !song.whole;
      if (song.whole) mark.style.left = `${song.whole[g] * 100}%`;
      wholeCell.textContent = song.whole ? percent(song.whole[g]) : "–";
      row.classList.toggle("sn-top", Boolean(answer) && p === Math.max(...answer));
    });
    verdict.replaceChildren();
    if (song.whole) {
      const top = song.whole.indexOf(Math.max(...song.whole));
      const swatch = h("i", { class: "sw-swatch sn-swatch" });
      swatch.style.background = asked.colours[top];
      verdict.append(
        song.finished ? "The whole song: " : "The song so far: ",
        swatch,
        h("b", {}, asked.genres[top]),
        ` ${percent(song.whole[top])}`,
      );
    }
    table.querySelector("thead th.sn-whole")?.replaceChildren(song.finished ? "song" : "so far");
    stage.setAttribute("aria-valuemax", song.seconds.toFixed(1));
    stage.setAttribute("aria-valuenow", now.toFixed(1));
    stage.setAttribute("aria-valuetext", `${now.toFixed(1)} of ${song.seconds.toFixed(1)} seconds, ${text}`);
  }

  // -- When to paint: every picture while it plays, and once after every change --
  let asked = 0;
  let last = { step: undefined, at: 0 };
  function frame(moment) {
    asked = 0;
    const moving = !song.audio.paused;
    const step = song.stepAt(song.audio.currentTime);
    const skip = still.matches && moving && step === last.step && moment - last.at < 250;
    if (!skip) {
      last = { step, at: moment };
      paint();
    }
    if (moving) invalidate();
  }
  function invalidate() {
    if (!asked && !signal.aborted) asked = requestAnimationFrame(frame);
  }

  on(song, "changed", (event) => {
    const what = event.detail;
    if (what === "song") tiles = [];
    if (what === "welcome") sayWelcome();
    if (what === "song" || what === "welcome") saySong();
    if (what === "clips" && song.clips[genreSelect.value]) listClips(genreSelect.value);
    if (what === "asked") sayNetwork();
    // A network that could not be asked, or a clip that could not be opened, is not chosen.
    if (what === "error" && song.asked) networkSelect.value = String(song.asked.network);
    if (what === "error") clipSelect.value = song.facts?.clip ?? "";
    sayUpload();
    sayError();
    invalidate();
  });
  for (const kind of ["play", "pause", "seeking", "seeked", "ended", "loadeddata", "durationchange"]) {
    on(song.audio, kind, invalidate);
  }
  on(song.audio, "ended", () => (song.shouldPlay = false));
  on(still, "change", invalidate);
  const sizes = new ResizeObserver(invalidate);
  sizes.observe(stage);
  const rethink = () => {
    ink = null;
    invalidate();
  };
  onTheme(rethink, signal);

  corpusPart.hidden = true;
  if (song.welcome) sayWelcome();
  saySong();
  sayNetwork();
  sayUpload();
  sayError();
  invalidate();
  const silent = setTimeout(() => {
    if (song.welcome) return;
    about.textContent = "Waiting for Python … Is another cell still running? Without a kernel (make lab) nothing is heard here.";
  }, 4000);

  return () => {
    clearTimeout(silent);
    sizes.disconnect();
    cancelAnimationFrame(asked);
    end(root);
  };
}

// ---- Small things ------------------------------------------------------------------------------

const megabytes = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export default widget(Song, draw);
