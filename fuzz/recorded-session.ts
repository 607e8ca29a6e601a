import { type Instant, inMilliseconds, instant, milliseconds, seconds } from '../protocol/base/units.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { StreamParameters } from '../protocol/stream-parameters.ts';
import { Receiver } from '../receiver/receiver.ts';
import { receiverOptions } from '../receiver/receiver-options.ts';
import { Sender } from '../sender/sender.ts';
import { type SenderSettings, senderOptions } from '../sender/sender-options.ts';
import type { Direction } from '../sim/direction.ts';
import { Link } from '../sim/link/link.ts';
import { parseLink } from '../sim/link/link-parse.ts';
import { REPORT_SSRC, simulatedStream } from '../sim/simulated-stream.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed, SyntheticStream, type SyntheticStreamOptions } from '../sim/synthetic-stream.ts';
import type { FuzzStep } from './fuzz-input.ts';

export const SESSION_LATENCY_MS = 80;
/** Frames of a recorded session: three groups of pictures. Inputs are short, so that many are run in a second. */
export const SESSION_FRAMES = 12;
const KEY_INTERVAL = 4;
const FRAMES_PER_SECOND = 30;

/** The stream of a recorded session. Frames have one to four packets. */
export const sessionSource = (changes: Partial<SyntheticStreamOptions> = {}): SyntheticStream =>
  new SyntheticStream({
    framesPerSecond: FRAMES_PER_SECOND,
    frameBytes: 1_900,
    keyFrameBytes: 4_200,
    keyInterval: KEY_INTERVAL,
    frames: SESSION_FRAMES,
    seed: 5,
    ...changes,
  });

/** Time for which late frames are mended, milliseconds; the default, 5 s, makes an input take five times as long. */
export const SESSION_MEND_MS = 400;

export const sessionParameters = (recovery: Recovery, mendMs = SESSION_MEND_MS) =>
  simulatedStream({ recovery, latency: milliseconds(SESSION_LATENCY_MS), mend: milliseconds(mendMs) });

/** Differences of a recorded session from the others. */
export interface RecordedSessionChanges {
  readonly settings?: Partial<SenderSettings>;
  readonly stream?: Partial<Pick<StreamParameters, 'frameMarks' | 'datagramBytesMax'>>;
  readonly source?: Partial<SyntheticStreamOptions>;
}

/** Datagrams of a simulated session in one direction, with the pauses between them. */
export function recordSession(
  recovery: Recovery,
  direction: Direction,
  link: string,
  { settings, stream, source: changes }: RecordedSessionChanges = {},
): FuzzStep[] {
  const parameters = { ...sessionParameters(recovery), ...stream };
  const sender = new Sender(senderOptions(parameters, settings));
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
  const specification = parseLink(link);
  const source = sessionSource(changes);
  const steps: FuzzStep[] = [];
  let last: Instant = instant(0);
  new Simulation({
    sender,
    receiver,
    forward: new Link(specification, 'forward'),
    back: new Link(specification, 'back'),
    scripts: [
      new LiveFeed({
        startAt: instant(milliseconds(1)),
        next: () => source.next(),
        deliver: (now, unit) => void sender.send(now, unit),
        finish: () => sender.finish(),
      }),
    ],
    onDatagram: (now, of, datagram) => {
      if (of !== direction) return;
      steps.push({ pause: Math.round(inMilliseconds(now) - inMilliseconds(last)), bytes: datagram.slice() });
      last = now;
    },
  }).runUntil(instant(seconds(4)));
  return steps;
}
