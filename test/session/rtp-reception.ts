import { onTestFinished } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { RtpClient } from '../../session/rtp/rtp-client.ts';
import type { RtpClientOptions } from '../../session/rtp/rtp-client-options.ts';
import type { ClientEvents, StreamAnnouncement } from '../../session/stream/client.ts';

/** Receives plain RTP at a port of this machine until the test is over, and keeps everything that comes. */
export function receiveRtp(port: number, options: Partial<RtpClientOptions> = {}) {
  const [units, sounds]: [AccessUnit[], AccessUnit[]] = [[], []];
  const streams: StreamAnnouncement[] = [];
  const lines: string[] = [];
  let bound = () => {};
  const ready = new Promise<void>((resolve) => {
    bound = resolve;
  });
  const events: ClientEvents = {
    onWaiting: (line) => {
      lines.push(line);
      bound();
    },
    onStream: (stream) => streams.push(stream),
    onUnit: (unit) => units.push(unit),
    onRecordedUnit: () => {},
    onSound: (unit) => sounds.push(unit),
    onDrop: () => {},
    onDatagram: () => {},
  };
  const client = new RtpClient(
    {
      name: 'here',
      host: '127.0.0.1',
      port,
      codecName: 'h264',
      payloadType: undefined,
      parameterSets: [],
      latencyMs: 1_000, // a busy machine stalls now and then
      recovery: 'reorder',
      release: 'deadline',
      onLoss: 'freeze',
      link: undefined,
      timeoutMs: 1_500,
      ...options,
    },
    events,
  );
  const ended = client.run();
  ended.catch(() => {});
  onTestFinished(() => client.stop());
  return { client, ended, ready, units, sounds, streams, lines };
}
