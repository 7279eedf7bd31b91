// What modules hand to each other. These types are global: no module has to import them.

// ---- A place and what it brings ----

interface NetworkOffer {
  name: string;
  asset: string;
  title: string;
  stream?: string; // an asset, too: the network that remembers
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

/** What a network says of itself. */
interface Description {
  name: string;
  title: string;
  trainingMusic: string;
  caution: string;
  genres: string[];
  sound: Sound;
  field: Field;
  embedding: boolean;
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
interface TaughtNetwork {
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
  engine: import("./engine/engine.js").Engine;
  host: Host;
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
