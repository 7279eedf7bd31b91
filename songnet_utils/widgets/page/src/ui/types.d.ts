// What the modules of this folder hand to each other.
import type { Sound } from "../engine/onnx.js";
export type { Sound } from "../engine/onnx.js";
import type { Kind } from "../teach/types";
import type { Answers } from "./answers.js";
import type { Song } from "./song.js";

export type { Engine } from "../engine/engine.js";
export type { Facts } from "../engine/decode.js";
export type { Step } from "../engine/listening.js";
export type { Clip, Host } from "../host.js";
export type { Answers } from "./answers.js";
export type { List } from "./list.js";
export type { Picture } from "./picture.js";
export type { Session } from "./session.js";
export type { Kind } from "../teach/types";
export type { Live, Song } from "./song.js";
import type { Heard } from "../engine/engine.js";
import type { Step } from "../engine/listening.js";

export type Child = string | Node | false | null | undefined;

/** Parts of page.html by their names; what kind each is stands there. */
export type Named = Record<string, any>;

/** A network that can be asked. */
export interface Network {
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

/** A network that people taught. */
export type Taught = Omit<Network, "colours" | "sound">;

/** Some steps, as the engine tells them. */
export interface Told {
  steps: Step[];
  embeddings: Float32Array | null;
}

/** The engine on its way through a song, and who wants to know. */
export interface Hearing {
  told: Told[];
  followers: Answers[];
  done: Promise<Heard>;
}

/** How a song is heard. */
export interface How {
  signal?: AbortSignal;
  picture?: boolean; // its log-mel is wanted
  changed?: () => void; // there is more
}

/** What has changed. */
export type What = "songs" | "song" | "answers" | "play" | "networks";

/** Where a player says what happens. */
export interface Listens {
  changed: () => void;
  ended: () => void;
  fail: (text: string) => void;
}

/** Where a session says what happens. */
export interface Place {
  changed: (what: What) => void;
  announce: (text: string) => void;
  fail: (text: string) => void;
}

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A part of a picture in which time runs from left to right. */
export interface Strip {
  at: (seconds: number) => number; // the x of a moment
  from: number; // seconds
  to: number;
  top: number; // pixels
  bottom: number;
}

/** What the moving picture shows. */
export interface Scene {
  song: Song;
  answers: Answers[]; // one strip each
  time: number; // of the playhead
  seconds: number; // of the song
  isFutureShown: boolean;
  isStill: boolean; // where motion is unwelcome: the playhead moves, not the picture
}

/** As far as a picture of a song goes. */
export interface Until {
  seconds: number; // of the song
  step: number; // the last one that counts
  until: number; // seconds
}

/** What can be done with a song of the list. */
export interface ListActs {
  play: (song: Song) => void;
  label: (song: Song, genre: string) => void;
  labelOf: (song: Song) => string; // or ""
  remove: (song: Song) => void;
  keep: ((song: Song) => void) | null; // where Python is
  genres: () => string[]; // to label with
}

/** What can be done on the page that is not the session's alone. */
export interface Acts {
  add: (files: File[]) => void;
  listen: () => void; // to the microphone, or stop
  savePicture: (isShared: boolean) => void;
}

/** What is kept of a song for the next visit. */
export interface Kept {
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
