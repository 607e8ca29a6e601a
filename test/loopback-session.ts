import { networkInterfaces } from 'node:os';
import { onTestFinished } from 'vitest';
import { Log } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import type { ClientEnd } from '../session/stream/client.ts';
import type { ClientNotice } from '../session/stream/client-texts.ts';
import { StreamClient, type StreamClientOptions } from '../session/stream/stream-client.ts';
import { StreamServer } from '../session/stream/stream-server.ts';
import type { StreamServerOptions } from '../session/stream/stream-server-options.ts';
import { SyntheticStream } from '../sim/synthetic-stream.ts';

export const HAS_IPV6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

/** A source of these access units, like a file. */
export function sourceOf(units: readonly AccessUnit[]): MediaSource {
  return {
    description: {
      name: 'a made-up stream',
      codecName: 'h264',
      codec: 'avc1.42001f',
      width: 320,
      height: 240,
      framesPerSecond: 50,
      durationSeconds: units.length / 50,
      mode: 'copy',
      parameterSets: [Uint8Array.of(0x67, 0x42, 0, 0x1f), Uint8Array.of(0x68, 1)],
    },
    async *units() {
      yield* units;
    },
    close: async () => {},
  };
}

/** `frames` frames at fifty a second, every tenth a key frame. */
export function madeUpUnits(frames: number): AccessUnit[] {
  const stream = new SyntheticStream({
    framesPerSecond: 50,
    frameBytes: 3_000,
    keyFrameBytes: 25_000,
    keyInterval: 10,
    frames,
    seed: frames,
  });
  return Array.from({ length: frames }, () => stream.next()!);
}

export interface Serving {
  readonly server: StreamServer;
  readonly sent: AccessUnit[];
  /** Logs each time that the server ran out of receivers, or of stream. */
  readonly idle: unknown[];
}

/** Starts a server that runs until the test has finished. */
export async function serve(
  units: readonly AccessUnit[],
  options: Partial<StreamServerOptions> = {},
): Promise<Serving> {
  const sent: AccessUnit[] = [];
  const idle: unknown[] = [];
  const server = new StreamServer({
    source: sourceOf(units),
    host: '127.0.0.1',
    port: 0,
    loop: false,
    datagramBytesMax: 1_200,
    receiversMax: 8,
    log: new Log({ level: 'error' }),
    onUnit: (unit) => sent.push(unit),
    onIdle: (error) => idle.push(error),
    ...options,
  });
  await server.listen();
  onTestFinished(() => server.close('the test has finished'));
  return { server, sent, idle };
}

export interface Receiving {
  readonly client: StreamClient;
  readonly received: AccessUnit[];
  readonly welcomed: string[];
  readonly waited: string[];
  readonly notices: ClientNotice[];
  readonly run: Promise<ClientEnd>;
}

/** Starts a client that receives until the stream's end, or until the test has finished. */
export function receive(port: number, options: Partial<StreamClientOptions> = {}): Receiving {
  const received: AccessUnit[] = [];
  const welcomed: string[] = [];
  const waited: string[] = [];
  const notices: ClientNotice[] = [];
  const client = new StreamClient({
    host: '127.0.0.1',
    port,
    transport: 'udp',
    // Long, so that a brief stall of the test machine loses nothing.
    latencyMs: 500,
    recovery: 'hybrid',
    release: 'deadline',
    onLoss: 'freeze',
    link: undefined,
    timeoutMs: 10_000,
    onWaiting: (cause) => waited.push(cause),
    onNotice: (notice) => notices.push(notice),
    onWelcome: ({ position }) => welcomed.push(position),
    onUnit: (unit) => received.push(unit),
    onRecordedUnit: () => {},
    onDrop: () => {},
    ...options,
  });
  const run = client.run();
  // Tests that await it see the failure; others need not handle it.
  run.catch(() => {});
  onTestFinished(() => client.stop());
  return { client, received, welcomed, waited, notices, run };
}
