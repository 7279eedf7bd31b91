// In the audio thread: hands the microphone's samples to the worker, mixed down, some at a time.
// The page learns the time of the first one.

const SAMPLES = 1024;

class Listening extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @type {MessagePort | null} */
    this.to = null;
    this.samples = new Float32Array(SAMPLES);
    this.count = 0;
    this.isBegun = false;
    this.port.onmessage = ({ data }) => (this.to = data);
  }

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    if (!channels.length || !this.to) return true;
    if (!this.isBegun) this.port.postMessage(currentTime);
    this.isBegun = true;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.samples[this.count++] = sum / channels.length;
      if (this.count === SAMPLES) {
        this.to.postMessage(this.samples);
        this.count = 0;
      }
    }
    return true;
  }
}

registerProcessor("listening", Listening);
