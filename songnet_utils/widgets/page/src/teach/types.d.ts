// What the modules of this folder hand to each other.

/** What is kept of a song that was labelled. */
export interface Told {
  sha256: string; // of its file's bytes
  name: string; // of its file
  title: string;
  artist: string;
  genre: string; // empty: no longer labelled
  file?: Blob; // missing where it came from an exported file
  embeddings: Float32Array; // musicnn's, 200 numbers a step
  before: { genre: string; probability: number }; // musicnn's answer
}

/** A labelled song with the mean of its embeddings. */
export type Song = Told & { mean: Float64Array };

/** Everything that the browser keeps. */
export interface State {
  songs: Map<string, Told>; // by SHA-256
  changes: { sha256: string; genre: string }[][]; // the labels before each change
}

export interface Layer {
  genres: string[];
  weights: Float64Array[]; // genre by genre
  biases: number[];
}

/** What a layer is fitted to, as Song has it. */
export type Example = Pick<Song, "mean" | "genre">;

/** Songs that were held out, with the answers of the networks before and after. */
export interface Trial {
  tested: { song: Song; before: string; after: string }[];
  untested: Song[];
  genres: string[];
}

/** A song of the page, as src/ui/song.js has it. */
export interface PageSong {
  name: string;
  title: string;
  artist: string;
  load: () => Promise<Blob>;
  hearings?: Map<string, { told: StepsTold[]; done: Promise<unknown> }>;
}

export interface StepsTold {
  steps: { probabilities: Float32Array }[];
  embeddings: Float32Array | null;
}

/** A network that musicnn's embedding is asked for, as src/ui/answers.js has it. */
export interface TaughtNetwork {
  name: string;
  title: string;
  genres: string[];
  trainingMusic: string;
  caution: string;
  asked: string;
  answer: (embedding: Float32Array) => Float32Array;
}

/** What two seconds sound like. */
export interface Events {
  level: number; // decibels of full scale
  speech: number; // probabilities
  music: number; // played or sung
}

/** What a song, or the latest seconds of a microphone, sound like; no text for music. */
export interface Kind {
  kind: "music" | "speech" | "silence" | "noise";
  text: string;
}
