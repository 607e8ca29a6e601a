/** An audio worklet that reports the time of the audio context at which sound begins after a silence of 0.2 s. */
export const ONSET_DETECTOR = `
registerProcessor('onsets', class extends AudioWorkletProcessor {
  constructor() { super(); this.quiet = 0; }
  process([input]) {
    const samples = input[0];
    if (!samples) { this.quiet += 128; return true; }
    for (let at = 0; at < samples.length; at++) {
      if (Math.abs(samples[at]) < 0.05) { this.quiet++; continue; }
      if (this.quiet > sampleRate / 5) this.port.postMessage(currentTime + at / sampleRate);
      this.quiet = 0;
    }
    return true;
  }
});`;
