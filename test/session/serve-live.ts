import { onTestFinished } from 'vitest';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { Microseconds } from '../../protocol/base/units.ts';
import { LiveStream } from '../../session/stream/live-stream.ts';

/**
 * Makes a live stream of a source.
 * @param options.idle logs each time that it ran out of viewers, or of stream.
 */
export function liveOf(
  source: MediaSource,
  options: {
    readonly loop?: boolean | undefined;
    readonly idle?: unknown[];
    readonly onStall?: (late: Microseconds) => void;
  } = {},
) {
  const { loop = false, idle = [], onStall = () => {} } = options;
  return new LiveStream({
    ...{ source, loop, onUnit: undefined, onSound: undefined },
    ...{ onRead: () => {}, onSoundFailure: () => {}, onKeyFrameWanted: () => {}, onStall },
    onIdle: (error) => idle.push(error),
  });
}

/** Lets a server of a live stream listen until the test has finished. */
export async function listening<Server extends { listen(): Promise<void>; close(): Promise<void> }>(
  server: Server,
  live: LiveStream,
): Promise<Server> {
  await server.listen();
  onTestFinished(async () => {
    await server.close();
    live.close();
  });
  return server;
}
