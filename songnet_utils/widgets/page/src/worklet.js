// Runs in the audio thread: mixes the microphone's channels and sends blocks of samples to the
// worker. It also tells the page the time of the first sample.

const SAMPLES = 1024;

class Listening extends AudioWorkletProcessor {
  to = /** @type {MessagePort | null} */ (null);
  samples = new Float32Array(SAMPLES);
  count = 0;
  isBegun = false;

  constructor() {
    super();
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
