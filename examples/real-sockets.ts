// How do I send my own encoder's pictures over the network, and get them back elsewhere? UDP on this machine.
import { SyntheticStream } from 'dropframe';
import { type MediaSource, receive, serve } from 'dropframe/node';

const FRAMES = 50;

/** Stands for an encoder or a camera: access units in decode order, returned on request. */
const source: MediaSource = {
  description: {
    name: 'made-up pictures',
    codecName: 'h264',
    codec: 'avc1.42001f',
    width: 320,
    height: 240,
    framesPerSecond: 50,
    durationSeconds: FRAMES / 50,
    mode: 'copy',
    parameterSets: [Uint8Array.of(0x67, 0x42, 0, 0x1f), Uint8Array.of(0x68, 1)],
  },
  async *units() {
    const stream = new SyntheticStream({
      framesPerSecond: 50,
      frameBytes: 3_000,
      keyFrameBytes: 25_000,
      keyInterval: 10,
      frames: FRAMES,
      seed: 1,
    });
    for (let unit = stream.next(); unit; unit = stream.next()) yield unit;
  },
  close: async () => {},
};

// A file works as well: `serve('film.mp4', { host: '0.0.0.0', port: 7000, loop: true })`.
const service = await serve(source);

export let pictures = 0;
const reception = receive(service.url, {
  latencyMs: 200,
  recovery: 'hybrid',
  link: 'loss=3% delay=10ms seed=1', // a bad network for this receiver alone
  onFrame: (_, { decodeOnly }) => {
    if (!decodeOnly) pictures++;
  },
  onDrop: ({ frame, frames, cause }) => console.log(`${frames} dropped from frame ${frame} on: ${cause}`),
});

export const summary = await reception.ended;
await service.close();
const { frames, packets } = summary;
console.log(`${service.url}: ${pictures} pictures of ${frames.total}, ${frames.recovered} of them recovered`);
console.log(`${packets.neverArrived + packets.late} of ${packets.total} packets were missing in the end`);
