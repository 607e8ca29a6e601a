import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { REPORT_SSRC, simulatedStream } from '../../sim/simulated-stream.ts';
import { drain, driveUntil } from '../drive.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateDatagram } from '../mutate-datagram.ts';
import { ReceiverOutput } from '../receiver-output.ts';
import { recordSession } from '../recorded-session.ts';

const FRAME_BYTES_MAX = 65_537;

/** Media over TCP: RFC 4571 frames, cut anywhere, into a receiver that waits for what is late. */
export const streamTarget: FuzzTarget = {
  name: 'stream',
  seeds: () => [
    {
      choices: 0,
      steps: recordSession('none', 'forward', 'delay=5ms').map(({ pause, bytes }) => ({
        pause,
        bytes: frameForStream(bytes),
      })),
    },
  ],
  mutate: (bytes, chance) =>
    chance.oneIn(3) || bytes.length < 16
      ? mutateBytes(bytes, chance)
      : frameForStream(mutateDatagram(bytes.subarray(2), chance).subarray(0, 60_000)),
  run: ({ steps }, observed) => {
    const parameters = simulatedStream({ transport: 'tcp', latency: milliseconds(80) });
    const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
    const deframer = new StreamDeframer();
    let now: Instant = instant(seconds(1));
    const output = new ReceiverOutput(observed);
    for (const { pause, bytes } of steps) {
      const next = later(now, milliseconds(pause));
      driveUntil(receiver, { start: now, end: next, output });
      now = next;
      for (const packet of deframer.push(bytes)) {
        receiver.handleDatagram(now, packet);
        drain(receiver, now, output);
      }
      hold(deframer.pendingBytes <= FRAME_BYTES_MAX, 'at most one packet is buffered');
    }
    receiver.finish(now);
    drain(receiver, now, output);
    output.settle(receiver);
  },
};
