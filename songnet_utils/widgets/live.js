// The live song in the browser: it plays, draws and keeps time.
//
// The clock is the <audio> element's: every picture reads `currentTime` and shows the newest step
// that had ended by then. A microphone's clock is that of its samples. Steps come from Python once,
// as soon as they are decided (live.py says which messages there are). Nothing is fetched from
// anywhere. common.js and uploads.js stand before this text.
//
// A `Song` below is what one kernel tells (there may be several pictures of it: a second view of
// the same output); `draw` makes one such picture.

const PIXELS_A_SECOND = 46; // of the moving picture
const PLAYHEAD_AT = 0.6; // of its width: more past than future
const EAR_AT = 0.94; // of its width while a microphone is open: it has no future
const MOST_TILE = 1024; // log-mel columns in one bitmap
const DEPTH = 18; // nats below the loudest moment that the log-mel shows: about 78 dB
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const MOST_MINE = 200; // files that a page remembers
const EAR_SAMPLES = 2048; // of a microphone in one message: some 45 ms

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
    this.uploads = new Uploads(this);
    this.file = null; // the open song, where this page has it
    this.mine = []; // files that people brought
    this.opened = null; // the open microphone
    this.ear = null; // the same, once Python listens to it
    this.sound = null; // the bytes that are being fetched for playing
    this.wrapping = null; // what makes them playable
    this.tried = ""; // what was asked for because the file itself will not do
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
    this.closeEar();
    clearTimeout(this.sound?.timer);
    this.uploads.cancel();
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
    if (this.opened && content.microphone === this.opened.number) this.stopListening();
    if (this.upload?.sent) this.uploads.current = null;
  }

  on_song(content) {
    if (this.facts?.song === content.song) return; // told again, for another page
    if (this.opened && this.opened.number !== content.microphone) this.closeEar();
    this.audio.pause();
    this.forgetSound();
    this.facts = content;
    this.file = null;
    this.picture = null;
    this.forgetAnswers();
    this.busy = "";
    this.error = "";
    if (this.upload && content.upload === this.upload.number) {
      this.file = this.upload.file;
      this.uploads.current = null;
    }
    if (content.microphone !== undefined) {
      this.ear = this.opened;
      return; // played when it was heard to its end
    }
    if (!this.canPlay(content.mime)) this.askForPlayable("wrapped");
    else if (this.file) this.play_from(this.file);
    else this.fetchSound(false, content.mime, content.bytes);
  }

  // Python names no kind where the browser's clock would be wrong after a seek.
  canPlay(mime) {
    return mime !== "" && this.audio.canPlayType(mime) !== "";
  }

  on_picture(content, buffers) {
    if (content.song !== this.facts?.song) return;
    const { bands, first } = content;
    if (first === 0) this.picture = { ...content, tiles: [], filled: 0, loudest: 0 };
    const { picture } = this;
    if (picture?.filled !== first) return; // told again, for another page
    const rows = bytesOf(buffers[0]);
    for (let at = 0; at < rows.length; ) {
      const column = picture.filled % MOST_TILE;
      if (column === 0) picture.tiles.push(new Uint8Array(MOST_TILE * bands));
      const part = rows.subarray(at, at + (MOST_TILE - column) * bands);
      picture.tiles.at(-1).set(part, column * bands);
      picture.filled += part.length / bands;
      at += part.length;
    }
    for (const value of rows) if (value > picture.loudest) picture.loudest = value;
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
    this.sum = null; // of the answers
    this.whole = null;
    this.finished = false;
    this.delay = null; // seconds between the end of a microphone's step and its answer
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
    if (content.first === 0) this.sum = null;
    this.sum ??= new Float64Array(genres);
    for (const answer of this.answers.slice(content.first)) {
      for (let g = 0; g < genres; g++) this.sum[g] += answer[g];
    }
    this.whole = this.sum.map((value) => value / this.answers.length);
    if (this.ear) this.delay = this.ear.seconds - this.ends.at(-1);
  }

  on_whole(content) {
    if (content.run !== this.asked?.run) return;
    this.whole = Float64Array.from(content.genre);
    this.finished = true;
    this.facts.seconds = content.seconds;
  }

  on_heard(content) {
    if (this.opened?.number === content.microphone) this.opened.heard = content.seconds;
  }

  // The newest step that had ended by `seconds`; −1: none had yet.
  endedBy(seconds) {
    const { ends } = this;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // The step that is shown at `seconds`; −1: none was decided yet; −2: Python is not there yet.
  stepAt(seconds) {
    const { ends } = this;
    if (this.ear) return ends.length - 1;
    const newest = ends.at(-1);
    if (!this.finished && this.asked && seconds >= this.asked.first_answer) {
      if (newest === undefined || seconds >= newest + this.asked.step_seconds) return -2;
    }
    return this.endedBy(seconds);
  }

  // ---- The sound to play ----

  forgetSound() {
    clearTimeout(this.sound?.timer);
    this.sound = null;
    this.wrapping = null;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    this.audio.removeAttribute("src");
    this.audio.load(); // or the old song stays in the player
    this.shouldPlay = false;
    this.tried = "";
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
    const whole = new Blob(sound.pieces, { type: sound.mime });
    this.play_from(this.wrapping ? this.wrapped(whole) : whole);
  }

  // Ask for what browsers play in step where the file itself will not do: first a wrapping around
  // its bytes, then FLAC.
  askForPlayable(tried) {
    this.tried = tried;
    this.wrapping = null;
    this.tell("playable", { song: this.facts.song, flac: tried !== "wrapped" });
  }

  on_playable(content, buffers) {
    if (content.song !== this.facts?.song || !this.tried || this.sound || this.wrapping) return;
    if (content.at === undefined) {
      if (this.tried === "wrapped") this.tried = "flac";
      this.fetchSound(true, content.mime, content.bytes);
      return;
    }
    if (this.tried !== "wrapped") return;
    if (!this.canPlay(content.mime)) {
      this.askForPlayable("flac");
      return;
    }
    const [before, after] = buffers.map((buffer) => bytesOf(buffer).slice());
    this.wrapping = { ...content, before, after };
    if (this.file) this.play_from(this.wrapped(this.file));
    else this.fetchSound(false, "", this.facts.bytes);
  }

  wrapped(file) {
    const { before, at, bytes, after, mime } = this.wrapping;
    return new Blob([before, file.slice(at, at + bytes), after], { type: mime });
  }

  cannotPlay() {
    // An error that is told late is about the sound before: this one has none.
    if (!this.facts || !this.audio.getAttribute("src") || !this.audio.error) return;
    // FLAC twice: a busy browser may lose the thread while it reads what it has.
    const next = { "": "wrapped", wrapped: "flac", flac: "flac again" }[this.tried];
    if (next) {
      this.askForPlayable(next);
      return;
    }
    this.error = `${this.facts.name}: this browser cannot play the sound, not even as FLAC (${this.audio.error.message}). Try another browser.`;
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

  get now() {
    return this.ear ? this.ear.seconds : this.facts ? this.audio.currentTime : 0;
  }

  get seconds() {
    if (this.ear) return this.ear.seconds;
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.facts?.seconds ?? 0);
  }

  seek(seconds) {
    if (!this.facts || this.ear) return;
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.seconds);
    this.changed("seek");
  }

  // A new sound in the player would begin at the usual speed again.
  set speed(times) {
    this.audio.defaultPlaybackRate = times;
    this.audio.playbackRate = times;
    this.changed("speed");
  }

  // ---- The microphone ----

  async listen() {
    this.error = "";
    this.pause();
    const number = someNumber();
    try {
      this.opening = number;
      const ear = await Ear.open(number, (at, samples) => {
        if (this.opened === ear) this.tell("samples", { microphone: number, at }, [samples.buffer]);
      });
      if (this.opening !== number) {
        ear.close(); // Something else was asked for meanwhile.
        return;
      }
      this.closeEar();
      this.opened = ear;
      ear.ended = () => {
        if (this.opened !== ear) return;
        this.stopListening();
        this.error = "The microphone is gone. What it heard stays.";
        this.changed("error");
      };
      this.tell("listen", { microphone: number, rate: ear.rate });
      ear.start();
    } catch (error) {
      this.error = whyNoMicrophone(error);
      this.changed("error");
    }
    this.changed("ear");
  }

  closeEar() {
    this.opening = null;
    this.opened?.close();
    this.opened = this.ear = null;
  }

  // What was heard can then be played like any song.
  stopListening() {
    const ear = this.opened;
    if (!ear) return;
    this.tell("stop", { microphone: ear.number });
    this.closeEar();
    if (this.facts?.microphone === ear.number && ear.taken) {
      this.file = ear.recording();
      this.facts.seconds = ear.taken / ear.rate;
      this.play_from(this.file);
    }
    this.changed("ear");
  }

  // ---- Uploads: pieces, each acknowledged ----

  // Several files are kept to choose from, the latest; the first new one is sent.
  bring(files) {
    const same = (a, b) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;
    const news = files.filter(
      (file, i) => ![...this.mine, ...files.slice(0, i)].some((other) => same(file, other)),
    );
    const first = news[0] ?? this.mine.find((file) => files.some((other) => same(file, other)));
    this.mine = [...this.mine, ...news].slice(-MOST_MINE);
    this.send(first);
    const said = [];
    if (files.length > 1) said.push(`${files.length} files: ${first.name} is heard first, the others stand under “Opened songs”.`);
    else if (!news.length) said.push(`${first.name} was there already; it is heard again.`);
    if (files.length > 1 && files.length > news.length) said.push(`${files.length - news.length} of them were there already.`);
    if (news.length > MOST_MINE) said.push(`Only the last ${MOST_MINE} are kept.`);
    if (!this.error) this.note = said.join(" ");
    this.changed("mine");
  }

  // The file that is on its way.
  get upload() {
    return this.uploads.current;
  }

  send(file) {
    if (!this.welcome) return;
    this.note = "";
    this.error = this.uploads.send(file);
    this.changed(this.error ? "error" : "upload");
  }

  async on_taken(content) {
    const wrong = await this.uploads.taken(content);
    if (!wrong) return;
    this.error = wrong;
    this.changed("error");
  }

  cancelUpload() {
    this.uploads.cancel();
    this.changed("upload");
  }
}

// ---- A microphone -----------------------------------------------------------------------------

// Runs beside the page, where sound is never late: the mean of the channels, in pieces.
const EAR = `registerProcessor("songnet-ear", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(${EAR_SAMPLES});
    this.filled = 0;
  }
  process([channels]) {
    const many = channels.length;
    for (let i = 0; many && i < channels[0].length; i++) {
      let sum = 0;
      for (let c = 0; c < many; c++) sum += channels[c][i];
      this.piece[this.filled++] = sum / many;
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece.slice());
        this.filled = 0;
      }
    }
    return true;
  }
});`;

class Ear {
  static async open(number, take) {
    // Calls are cleaned of music by default.
    const as_it_is = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: as_it_is });
    const context = new AudioContext();
    const address = URL.createObjectURL(new Blob([EAR], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(address);
    } finally {
      URL.revokeObjectURL(address);
    }
    return new Ear(number, stream, context, take);
  }

  constructor(number, stream, context, take) {
    Object.assign(this, { number, stream, context, take, rate: context.sampleRate });
    this.taken = 0; // samples
    this.heard = 0; // seconds that Python has heard
    this.begin = null; // when the first sample was sounding, in ms
    this.pieces = []; // of the recording, 16 bits
    this.ended = () => {};
    stream.getAudioTracks()[0].addEventListener("ended", () => this.ended());
  }

  start() {
    const { context } = this;
    this.node = new AudioWorkletNode(context, "songnet-ear");
    this.node.port.onmessage = ({ data }) => this.add(data);
    context.createMediaStreamSource(this.stream).connect(this.node);
    this.node.connect(context.destination); // its silence: what nobody hears is not computed
    context.resume();
  }

  add(samples) {
    this.begin ??= performance.now() - (1000 * samples.length) / this.rate;
    const piece = new Int16Array(samples.length);
    for (let i = 0; i < samples.length; i++) {
      piece[i] = Math.round(32767 * Math.max(-1, Math.min(1, samples[i])));
    }
    this.pieces.push(piece);
    const at = this.taken;
    this.taken += samples.length;
    this.take(at, samples);
  }

  // How long it has listened: the clock of the picture.
  get seconds() {
    return this.begin === null ? 0 : (performance.now() - this.begin) / 1000;
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
    this.node?.disconnect();
    this.context.close();
  }

  // As a WAV file (RIFF, 16 bits, one channel).
  recording() {
    const bytes = 2 * this.taken;
    const view = new DataView(new ArrayBuffer(44));
    const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    write(0, "RIFF");
    view.setUint32(4, 36 + bytes, true);
    write(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, this.rate, true);
    view.setUint32(28, 2 * this.rate, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    write(36, "data");
    view.setUint32(40, bytes, true);
    const when = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    return new File([view, ...this.pieces], `Microphone ${when}.wav`, { type: "audio/wav" });
  }
}

function whyNoMicrophone(error) {
  const why = {
    NotAllowedError: "The browser was not allowed to use the microphone. Allow it beside the address of this page, and try again.",
    NotFoundError: "No microphone was found. Plug one in, and try again.",
    NotReadableError: "The microphone is in use by another program. Close that, and try again.",
    SecurityError: "Browsers open the microphone only for pages on this computer (http://localhost) or over https. Open the page that way.",
  };
  return why[error.name] ?? `The microphone could not be opened (${error.message}).`;
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
    multiple: "",
  });
  const uploadButton = h("button", { type: "button", class: "sw-button" }, "Open a song");
  const uploadLabel = h("span", { class: "sn-label" }, "or your own");
  const listenButton = h("button", { type: "button", class: "sw-button" }, "Microphone");
  const mineSelect = h("select", { "aria-label": "Opened songs", hidden: "" });
  const uploadPart = h("div", { class: "sn-field" }, [
    uploadLabel,
    h("div", { class: "sn-pair sn-own" }, [uploadButton, listenButton, mineSelect]),
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
  const speed = h(
    "select",
    { "aria-label": "Speed" },
    SPEEDS.map((times) => option(String(times), `${times} ×`)),
  );
  const loop = h("button", { type: "button", class: "sw-button sn-loop", "aria-pressed": "false" }, "Loop");
  const how = h("div", { class: "sn-how" }, [speed, loop]);
  const transport = h("div", { class: "sn-transport" }, [
    play,
    h("div", { class: "sn-names" }, [title, about]),
    how,
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
  const toggle = () => {
    if (song.opened) song.stopListening();
    else if (song.audio.paused && !song.shouldPlay) song.play();
    else song.pause();
  };

  on(play, "click", toggle);
  on(uploadButton, "click", () => fileInput.click());
  on(fileInput, "change", () => {
    if (fileInput.files.length) song.bring([...fileInput.files]);
    fileInput.value = "";
  });
  on(listenButton, "click", () => (song.opened ? song.stopListening() : song.listen()));
  on(mineSelect, "change", () => song.send(song.mine[Number(mineSelect.value)]));
  on(speed, "change", () => (song.speed = Number(speed.value)));
  on(loop, "click", () => {
    song.audio.loop = !song.audio.loop;
    song.changed("loop");
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
  on(networkSelect, "change", () => {
    song.tell("ask", { network: Number(networkSelect.value) });
    // Only this page has what a microphone heard.
    if (song.facts?.microphone !== undefined && !song.ear && song.file) song.send(song.file);
  });

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
    held = { x: event.clientX, from: song.now, moved: false };
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
    if (event.dataTransfer.files.length) song.bring([...event.dataTransfer.files]);
  });

  // -- What is told in words --
  function listClips(genre) {
    const known = song.clips[genre];
    if (!known) {
      clipSelect.replaceChildren(option("", "…"));
      song.tell("clips", { genre });
      return;
    }
    const options = known.clips.map(([id, name]) => option(id, name));
    const first = known.of > known.clips.length ? `First ${known.clips.length} of ${known.of}` : "Choose…";
    clipSelect.replaceChildren(option("", first), ...options);
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
        genreSelect.append(option(genre, `${genre} (${count})`));
      }
      listClips(genreSelect.value);
    }
    const labels = networks.map((label, i) => option(String(i), label));
    networkSelect.replaceChildren(...labels);
    networkSelect.disabled = networks.length < 2;
    if (song.asked) networkSelect.value = String(song.asked.network);
  }

  function noSong() {
    return song.welcome?.corpus ? "Choose a clip, or open a song, or drop one here." : "Open a song, or drop one here.";
  }

  function saySong() {
    const { facts } = song;
    title.textContent = facts ? facts.title : "No song yet";
    const known = facts?.clip
      ? [`${facts.from}: labelled ${facts.genre}`, facts.licence]
      : [facts ? (facts.microphone === undefined ? "your own song" : "what your microphone hears") : noSong()];
    about.textContent = known.filter(Boolean).join(" · ");
    if (facts?.clip && genreSelect.value !== facts.genre) genreSelect.value = facts.genre;
    if (song.welcome?.corpus && genreSelect.value) listClips(genreSelect.value);
    sayMine();
  }

  function sayMine() {
    const { mine } = song;
    mineSelect.hidden = !mine.length;
    const names = mine.map((file, i) => option(String(i), file.name));
    mineSelect.replaceChildren(option("", `Opened songs (${mine.length})`), ...names);
    const here = mine.indexOf(song.upload?.file ?? song.file);
    mineSelect.value = here < 0 ? "" : String(here);
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
        : `${upload.file.name}: ${Math.floor(share * 100)} % of ${megabytesOf(upload.file.size)}`;
    cancel.hidden = upload.sent;
  }

  function sayError() {
    errorRow.hidden = !song.error;
    if (errorText.textContent !== song.error) errorText.textContent = song.error;
  }

  function sayStatus() {
    const { facts, asked, finished, ends } = song;
    const waits = facts && !song.ear && !song.audio.getAttribute("src") && facts.microphone === undefined;
    const text = song.busy || (waits ? "Fetching the sound …" : song.note ?? "");
    if (status.textContent !== text) status.textContent = text;
    const far = facts && asked && !finished && ends.length && facts.microphone === undefined;
    const of = facts?.seconds ? ` of ${time(facts.seconds)}` : "";
    heard.textContent = song.ear ? sayEar() : far ? `Heard up to ${time(ends.at(-1))}${of}` : "";
    const listens = Boolean(song.opened);
    if (listenButton.dataset.listens !== String(listens)) {
      listenButton.dataset.listens = String(listens);
      listenButton.textContent = listens ? "Stop listening" : "Microphone";
    }
    if (speed.value !== String(song.audio.defaultPlaybackRate)) speed.value = String(song.audio.defaultPlaybackRate);
    loop.setAttribute("aria-pressed", String(song.audio.loop));
    how.hidden = listens;
    root.dataset.delay = song.delay === null ? "" : String(song.delay);
    const { audio } = song;
    root.dataset.state = !facts
      ? song.busy ? "busy" : "empty"
      : song.ear ? "listening"
      : audio.ended ? "ended" : audio.paused ? "ready" : "playing";
    root.dataset.finished = String(finished);
    root.dataset.song = facts ? String(facts.song) : "";
    root.dataset.sound = audio.readyState >= 2 ? "there" : "";
    const plays = !audio.paused || song.shouldPlay || listens;
    if (play.dataset.plays !== String(plays)) {
      play.dataset.plays = String(plays);
      play.innerHTML = plays ? ICON.pause : ICON.play;
      play.setAttribute("aria-label", plays ? "Pause" : "Play");
    }
    play.disabled = !facts;
  }

  // A figure that changed with every step could not be read.
  let ear = { at: 0, text: "" };
  function sayEar() {
    const { ear: open, delay, asked } = song;
    if (performance.now() - ear.at < 1000 && ear.text) return ear.text;
    const behind = open.seconds - open.heard;
    const text =
      behind > 2
        ? `Listening; Python is ${behind.toFixed(0)} s behind (is a cell running?)`
        : delay === null || !asked
          ? "Listening"
          : `Listening: an answer stands ${delay.toFixed(2)} s after the last sound it is about`;
    ear = { at: performance.now(), text };
    return text;
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
    const { bands, loudest, nats } = picture;
    const first = number * MOST_TILE;
    const filled = Math.min(MOST_TILE, picture.filled - first);
    if (filled <= 0) return null;
    const there = tiles[number];
    if (there?.filled === filled && there.loudest === loudest) return there;
    const bitmap = new OffscreenCanvas(filled, bands);
    const pixels = new ImageData(filled, bands);
    const [red, green, blue] = ink.sound;
    const bytes = picture.tiles[number];
    const ground = loudest - DEPTH / nats;
    for (let x = 0; x < filled; x++) {
      for (let band = 0; band < bands; band++) {
        const value = Math.max(0, (bytes[x * bands + band] - ground) / (loudest - ground));
        const at = 4 * ((bands - 1 - band) * filled + x);
        pixels.data[at] = red;
        pixels.data[at + 1] = green;
        pixels.data[at + 2] = blue;
        pixels.data[at + 3] = 255 * value ** 1.6;
      }
    }
    bitmap.getContext("2d").putImageData(pixels, 0, 0);
    tiles[number] = { bitmap, filled, first, loudest };
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
    const { asked, facts, now } = song;
    const step = asked && facts ? song.stepAt(now) : -1;
    paintStage(now);
    paintOverview(now);
    sayBelief(now, step);
    sayStatus();
    clock.textContent = !facts ? "" : song.ear ? time(now, 1) : `${time(now, 1)} / ${time(song.seconds, 1)}`;
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
    const stands = song.ear ? EAR_AT : PLAYHEAD_AT;
    const left = still.matches ? Math.floor(now / page) * page : now - stands * page;
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
    const last = Math.min(picture.filled - 1, Math.ceil(to / picture.seconds));
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
    for (let k = Math.max(0, song.endedBy(from)); k < ends.length && ends[k] < to; k++) {
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
    const x = Math.min(width, Math.round((now / (song.ear ? total() : song.seconds)) * width));
    context.globalAlpha = 0.6;
    context.fillStyle = ink.paper;
    context.fillRect(x, 0, width - x, height);
    context.globalAlpha = 1;
    context.fillStyle = ink.text;
    context.fillRect(x - 1, 0, Math.max(2, Math.round(devicePixelRatio)), height);
  }

  // Seconds that the overview shows; a file may not say how long it is, a microphone cannot.
  function total() {
    const { facts, ends } = song;
    return song.ear || !facts.seconds ? Math.max(30, ends.at(-1) ?? 0) : facts.seconds;
  }

  // The whole song, a column a pixel: the mean of the steps that are decided within it.
  function summarise(width, height) {
    const bitmap = new OffscreenCanvas(width, height);
    const context = bitmap.getContext("2d");
    const { ends, answers, asked } = song;
    const seconds = total();
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
    const moving = !song.audio.paused || song.ear;
    const step = song.stepAt(song.now);
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
    if (what === "mine") sayMine();
    if (what === "clips" && song.clips[genreSelect.value]) listClips(genreSelect.value);
    if (what === "asked") sayNetwork();
    // A network that could not be asked, or a clip that could not be opened, is not chosen.
    if (what === "error" && song.asked) networkSelect.value = String(song.asked.network);
    if (what === "error") clipSelect.value = song.facts?.clip ?? "";
    if (what === "error" || what === "upload") sayMine();
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

export default widget(Song, draw);
