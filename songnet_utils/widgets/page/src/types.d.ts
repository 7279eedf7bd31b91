// What modules hand to each other. These types are global: no module has to import them.

// ---- A place and what it brings ----

/** A network that can be asked, as its file describes it. */
interface NetworkOffer {
  name: string;
  asset: string;
  title: string;
  trainingMusic: string;
  caution: string;
  genres: string[];
  sound: Sound;
  field: Field;
}

interface Clip {
  asset: string;
  file: string;
  title: string;
  artist: string;
  genre: string;
  credit: string;
  medley?: { start: number; genre: string }[];
}

interface Manifest {
  networks: NetworkOffer[];
  clips: Clip[]; // to choose from; the first is shown at the start
  keep: any;
}

interface Host {
  networks: NetworkOffer[];
  clips: Clip[];
  asset: (name: string) => Promise<Uint8Array<ArrayBuffer>>; // unpacked bytes
  // Where Python is: keeps the song, says where, or rejects with why.
  keep?: (file: Blob, told: Labelled) => Promise<string>;
}

interface Labelled {
  name: string; // of the file
  genre: string;
  title: string;
  artist: string;
}

/** The model of anywidget. */
interface Model {
  send: (message: object, callbacks?: unknown, buffers?: ArrayBuffer[]) => void;
  on: (event: "msg:custom", heard: (message: any, buffers: DataView[]) => void) => void;
  off: (event: "msg:custom", heard: Function) => void;
}

// ---- The engine ----

interface Sound {
  sample_rate: number;
  n_fft: number;
  hop: number;
  n_mels: number;
  floor: number;
}

/** The frames that a step of a network sees. */
interface Field {
  size: number;
  stride: number;
  past: number;
}

interface Piece {
  channels: Float32Array<ArrayBuffer>[];
  rate: number;
}

interface Facts {
  seconds: number | null;
  rate: number;
  channels: number;
  title: string | null;
  artist: string | null;
  cover: Blob | null;
  notes: string[];
}

/** The song is from sample `start` to `stop`, its file to `end`. */
interface Gap {
  start: number;
  stop: number;
  end: number;
  promised: number | null; // how many samples it should have
}

interface Step {
  start: number;
  end: number;
  probabilities: Float32Array;
}

interface FramesTold {
  kind: "frames";
  first: number;
  n_mels: number;
  frames: Float32Array;
}

interface StepsTold {
  kind: "steps";
  first: number;
  steps: Step[];
  embeddings: Float32Array | null;
}

type Told = FramesTold | StepsTold;

/** Of a network, for `count` steps from the step `first` on. */
interface NetworkAnswer {
  first: number;
  count: number;
  probabilities: Float32Array;
  embeddings: Float32Array | null;
}

interface Heard {
  seconds: number;
  notes: string[];
}

/** What the page wants to be told of a song or a microphone. */
interface Listener {
  onFacts?: (facts: Facts) => void; // called again when more is known
  onFrames?: (told: FramesTold) => void;
  onSteps?: (told: StepsTold) => void;
  onLevel?: (level: number, seconds: number) => void; // of the microphone, peak of 1
  onKind?: (kind: Kind) => void; // music or not; told again
  signal?: AbortSignal;
}

/** What waits for the worker. */
interface Asked {
  what: any;
  listener: Listener;
  resolve: (result: any) => void;
  reject: (error: Error) => void;
}

interface ListenAsked {
  blob: Blob;
  name: string;
  network: string;
  frames: boolean; // whether the page wants them
  kinds: boolean; // whether it wants to know if this is music
}

interface MicrophoneAsked {
  port: MessagePort;
  rate: number;
  network: string;
  kinds: boolean;
}

/** Speech, singing and music for each frame of samples at 16 kHz. */
type AskEvents = (samples: Float32Array) => Promise<Float32Array | null | undefined>;

// ---- Teaching ----

/** What is kept of a song that was labelled. */
interface KeptSong extends Labelled {
  sha256: string; // of its file's bytes
  file?: Blob; // missing where it came from an exported file
  embeddings: Float32Array; // musicnn's, 200 numbers a step
  before: { genre: string; probability: number }; // musicnn's answer
}

/** A labelled song with the mean of its embeddings. */
type LearntSong = KeptSong & { mean: Float64Array };

/** Everything that the browser keeps. */
interface Kept {
  songs: Map<string, KeptSong>; // by SHA-256; an empty genre: no longer labelled
  changes: { sha256: string; genre: string }[][]; // the labels before each change
}

interface Layer {
  genres: string[];
  weights: Float64Array[]; // genre by genre
  biases: number[];
}

/** Songs that were held out, with the answers of the networks before and after. */
interface Trial {
  tested: { song: LearntSong; before: string; after: string }[];
  untested: LearntSong[];
  genres: string[];
}

/** Is told of each fold, and awaited. */
type OnFold = (learnt: LearntSong[], asked: LearntSong[]) => unknown;

/** A song of the page, as src/ui/song.js has it. */
interface PageSong {
  name: string;
  title: string;
  artist: string;
  load: () => Promise<Blob>;
  hearings?: Map<string, { told: Omit<StepsTold, "kind" | "first">[]; done: Promise<unknown> }>;
}

/** A network that musicnn's embedding is asked for, as src/ui/answers.js has it. */
interface Taught {
  name: string;
  title: string;
  genres: string[];
  trainingMusic: string;
  caution: string;
  asked: string;
  answer: (embedding: Float32Array) => Float32Array;
}

/** Where songs are labelled. */
interface TeachPlace {
  engine: Engine;
  host: Host;
  base: NetworkOffer; // musicnn
  list: () => PageSong[]; // the songs that can be labelled, the present one first
  announce: (text: string) => void;
  changed: () => void; // called when there are other networks or marks
}

/** What two seconds sound like. */
interface Events {
  level: number; // decibels of full scale
  speech: number; // probabilities
  music: number; // played or sung
}

/** What a song, or the latest seconds of a microphone, sound like; no text for music. */
interface Kind {
  kind: "music" | "speech" | "silence" | "noise";
  text: string;
}

// ---- The page ----

type Answers = import("./ui/answers.js").Answers;
type Engine = import("./engine/engine.js").Engine;
type Live = import("./ui/song.js").Live;
type Session = import("./ui/session.js").Session;
type Song = import("./ui/song.js").Song;
type Store = import("./teach/store.js").Store;

/** Parts of page.html by their names; what kind each is stands there. */
type Named = Record<string, any>;

/** A network that can be asked. */
interface Network {
  name: string;
  title: string;
  genres: string[];
  colours: string[]; // of the genres
  trainingMusic: string;
  caution: string;
  sound: Sound;
  asked: string; // the engine's network that listens
  answer?: (embedding: Float32Array) => Float32Array; // of a layer on top of it
}

/** Some steps, as the engine tells them. */
type SomeSteps = Pick<StepsTold, "steps" | "embeddings">;

/** The engine on its way through a song, and who wants to know. */
interface Hearing {
  told: SomeSteps[];
  followers: Answers[];
  isWhole: boolean;
  done: Promise<Heard>;
}

/** How a song is heard. */
interface How {
  signal?: AbortSignal;
  picture?: boolean; // its log-mel is wanted
  changed?: () => void; // there is more
}

/** What has changed. */
type What = "songs" | "song" | "answers" | "play" | "networks";

/** Where a player says what happens. */
interface Listens {
  changed: () => void;
  ended: () => void;
  fail: (text: string) => void;
}

/** Where a session says what happens. */
interface Place {
  changed: (what: What) => void;
  announce: (text: string) => void;
  fail: (text: string) => void;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A part of a picture in which time runs from left to right. */
interface Strip {
  at: (seconds: number) => number; // the x of a moment
  from: number; // seconds
  to: number;
  top: number; // pixels
  bottom: number;
}

/** What the moving picture shows. */
interface Scene {
  song: Song;
  answers: Answers[]; // one strip each
  time: number; // of the playhead
  seconds: number; // of the song
  isFutureShown: boolean;
  isStill: boolean; // where motion is unwelcome: the playhead moves, not the picture
}

/** As far as a picture of a song goes. */
interface Until {
  seconds: number; // of the song
  step: number; // the last one that counts
  until: number; // seconds
}

/** What can be done with a song of the list. */
interface ListActs {
  play: (song: Song) => void;
  label: (song: Song, genre: string) => void;
  labelOf: (song: Song) => string; // or ""
  remove: (song: Song) => void;
  keep: ((song: Song) => void) | null; // where Python is
  genres: () => string[]; // to label with
}

/** What happens with files that are dragged here. */
interface Drops {
  over: (isOver: boolean) => void;
  drop: (files: File[]) => void;
}

/** What can be done on the page that is not the session's alone. */
interface Acts {
  add: (files: File[]) => void;
  listen: () => void; // to the microphone, or stop
  savePicture: (isShared: boolean) => void;
}

/** What is kept of a song for the next visit. */
interface ListedSong {
  id: string;
  name: string; // of its file
  file: Blob;
  title: string;
  artist: string;
  cover: Blob | null;
  seconds: number;
  label: string;
  kind: Kind | null;
  notes: string[];
  answers: (readonly [string, Step[]])[]; // of networks, the whole ones
}
