// What build.mjs puts in place of these imports.
declare module "text:*" {
  const text: string;
  export default text;
}

declare module "*.css" {
  const text: string;
  export default text;
}

declare module "fft.js" {
  export default class FFT {
    constructor(size: number);
    createComplexArray(): number[];
    realTransform(out: number[], input: number[]): void;
  }
}

// The audio thread's own names, which TypeScript's library leaves out.
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare const currentTime: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

declare module "*.html" {
  const text: string;
  export default text;
}
