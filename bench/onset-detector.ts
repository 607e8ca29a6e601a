/** An audio worklet that reports the time of the audio context at which sound begins after a silence of 0.2 s. */
const ONSET_DETECTOR = `
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

/** Script of a page: notes in `beeps` when each beep of a source leaves the loudspeaker, seconds on the page's clock. */
export const NOTE_BEEPS = `async (context, source, beeps) => {
  const detector = ${JSON.stringify(ONSET_DETECTOR)};
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([detector], { type: 'text/javascript' })));
  const node = new AudioWorkletNode(context, 'onsets', { numberOfOutputs: 0 });
  source(context).connect(node);
  node.port.onmessage = ({ data }) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    beeps.push((performanceTime + (data - contextTime) * 1000) / 1000);
  };
}`;
