// The data that modules exchange. These types are global, so no module has to import them.

// ---- A host and its data ----

/** A network on offer, as its file describes it. */
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
  clips: Clip[]; // on offer; the page opens with the first
  keep: any;
}

interface Host {
  networks: NetworkOffer[];
  clips: Clip[];
  asset: (name: string) => Promise<Uint8Array<ArrayBuffer>>; // unpacked bytes
  // With Python: saves the song and returns a message, or rejects with the reason.
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
  promised: number | null; // the number of samples according to the header
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

/** A network's answers for `count` steps from step `first` on. */
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

/** The page's callbacks for a song or a microphone. */
interface Listener {
  onFacts?: (facts: Facts) => void; // called again when more is known
  onFrames?: (told: FramesTold) => void;
  onSteps?: (told: StepsTold) => void;
  onLevel?: (level: number, seconds: number) => void; // of the microphone, peak of 1
  onKind?: (kind: Kind) => void; // music or not; called repeatedly
  signal?: AbortSignal;
}

/** A request that waits for the worker. */
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
  frames: boolean; // whether the page wants the frames
  kinds: boolean; // whether the page wants to know if this is music
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

/** The saved data of a labelled song. */
interface KeptSong extends Labelled {
  sha256: string; // of its file's bytes
  file?: Blob; // missing if the song came from an exported file
  embeddings: Float32Array; // musicnn's, 200 numbers a step
  before: { genre: string; probability: number }; // musicnn's answer
}

/** A labelled song with the mean of its embeddings. */
type LearntSong = KeptSong & { mean: Float64Array };

/** Everything that the browser saves. */
interface Kept {
  songs: Map<string, KeptSong>; // by SHA-256; an empty genre means no label
  changes: { sha256: string; genre: string }[][]; // the labels before each change
}

interface Layer {
  genres: string[];
  weights: Float64Array[]; // genre by genre
  biases: number[];
}

/** Held-out songs, with the answers of the networks before and after. */
interface Trial {
  tested: { song: LearntSong; before: string; after: string }[];
  untested: LearntSong[];
  genres: string[];
}

/** Called and awaited after each fold. */
type OnFold = (learnt: LearntSong[], asked: LearntSong[]) => unknown;

/** A song of the page, as src/ui/song.js has it. */
interface PageSong {
  name: string;
  title: string;
  artist: string;
  load: () => Promise<Blob>;
  hearings?: Map<string, { told: Omit<StepsTold, "kind" | "first">[]; done: Promise<unknown> }>;
}

/** A network on musicnn's embedding, as src/ui/answers.js has it. */
interface Taught {
  name: string;
  title: string;
  genres: string[];
  trainingMusic: string;
  caution: string;
  asked: string;
  answer: (embedding: Float32Array) => Float32Array;
}

/** The page around the panel for labels. */
interface TeachPlace {
  engine: Engine;
  host: Host;
  base: NetworkOffer; // musicnn
  list: () => PageSong[]; // the songs on offer for labelling, the current one first
  announce: (text: string) => void;
  changed: () => void; // called when networks or marks change
}

/** The sound events of two seconds. */
interface Events {
  level: number; // decibels of full scale
  speech: number; // probabilities
  music: number; // played or sung
}

/** The kind of a song, or of a microphone's latest seconds; the text is empty for music. */
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

/** Parts of page.html by their names; page.html has their kinds. */
type Named = Record<string, any>;

/** A network on offer, with its colours. */
interface Network {
  name: string;
  title: string;
  genres: string[];
  colours: string[]; // of the genres
  trainingMusic: string;
  caution: string;
  sound: Sound;
  asked: string; // the engine's network to run
  answer?: (embedding: Float32Array) => Float32Array; // a layer on top of that network
}

/** Some steps, as the engine reports them. */
type SomeSteps = Pick<StepsTold, "steps" | "embeddings">;

/** A pass of the engine through a song, and the answers that follow it. */
interface Hearing {
  told: SomeSteps[];
  followers: Answers[];
  isWhole: boolean;
  done: Promise<Heard>;
}

/** How to process a song. */
interface How {
  signal?: AbortSignal;
  picture?: boolean; // whether to make its log-mel
  changed?: () => void; // called when there is more
}

/** The kinds of change. */
type What = "songs" | "song" | "answers" | "play" | "networks";

/** The callbacks of a player. */
interface Listens {
  changed: () => void;
  ended: () => void;
  fail: (text: string) => void;
}

/** The callbacks of a session. */
interface Place {
  changed: (what: What) => void;
  announce: (text: string) => void;
  fail: (text: string) => void;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A strip of a picture in which time runs from left to right. */
interface Strip {
  at: (seconds: number) => number; // the x of a moment
  from: number; // seconds
  to: number;
  top: number; // pixels
  bottom: number;
}

/** The contents of the moving picture. */
interface Scene {
  song: Song;
  answers: Answers[]; // one strip each
  time: number; // of the playhead
  seconds: number; // of the song
  isFutureShown: boolean;
  isStill: boolean; // for readers who prefer less motion: the playhead moves, not the picture
}

/** The end of a picture of a song. */
interface Until {
  seconds: number; // of the song
  step: number; // the last step in the picture
  until: number; // seconds
}

/** The actions on a song of the list. */
interface ListActs {
  play: (song: Song) => void;
  label: (song: Song, genre: string) => void;
  labelOf: (song: Song) => string; // or ""
  remove: (song: Song) => void;
  keep: ((song: Song) => void) | null; // only with Python
  genres: () => string[]; // the labels on offer
}

/** The callbacks for dragged files. */
interface Drops {
  over: (isOver: boolean) => void;
  drop: (files: File[]) => void;
}

/** The actions of the page beyond those of the session. */
interface Acts {
  add: (files: File[]) => void;
  listen: () => void; // start or stop the microphone
  savePicture: (isShared: boolean) => void;
}

/** The data of a song that the browser saves for the next visit. */
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
  answers: (readonly [string, Step[]])[]; // complete answers, by network
}
