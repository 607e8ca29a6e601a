import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { COUNT_MAX } from '../../protocol/control/control-message.ts';
import { MEND_MS_DEFAULT } from '../../protocol/control/latency-limit.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { REPORT_SSRC } from '../../sim/simulated-stream.ts';
import { drain, driveUntil } from '../drive.ts';
import type { FuzzInput, FuzzStep } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateDatagram } from '../mutate-datagram.ts';
import { ReceiverOutput } from '../receiver-output.ts';
import {
  type RecordedSessionChanges,
  recordSession,
  SESSION_FRAMES,
  SESSION_LATENCY_MS,
  SESSION_MEND_MS,
  sessionParameters,
} from '../recorded-session.ts';

const LINKS = ['delay=5ms', 'loss=10% delay=10ms jitter=5ms seed=3', 'loss=20% burst=4 delay=30ms dup=5% seed=8'];
/** Sessions beside those with frame marks at the edges: of older senders, and with marks within frames of 9 and 35 packets. */
const VARIANTS: readonly RecordedSessionChanges[] = [
  { stream: { frameMarks: true } },
  { stream: { datagramBytesMax: 300 }, source: { frameBytes: 2_100, keyFrameBytes: 8_200, frames: 6 } },
];
/** Datagrams that a receiver may send: to each that it gets, and by its timers. */
const SENT_PER_DATAGRAM_MAX = 4;
const SENT_PER_SECOND_MAX = 400;
/** Time for what is decided late, milliseconds. */
const AFTERWARDS_MS = 1_500;
/** Totals that a control message may name. */
const TOTALS = [0, SESSION_FRAMES, SESSION_FRAMES + 1, 1_000, 70_000, 2 ** 32, COUNT_MAX] as const;

/** Options of a receiver in the bits of `choices`. */
function choose(choices: number) {
  return {
    recovery: RECOVERIES[choices % RECOVERIES.length]!,
    release: choices & 0x100 ? ('asap' as const) : ('deadline' as const),
    onLoss: choices & 0x200 ? ('smear' as const) : ('freeze' as const),
    endsBy: (choices >>> 10) & 3,
    total: TOTALS[(choices >>> 12) % TOTALS.length]!,
    // The default is rare, as it takes long.
    mendMs: ((choices >>> 20) & 15) === 15 ? MEND_MS_DEFAULT : SESSION_MEND_MS,
  };
}

/** Datagrams of a session of ours, with frame marks, repair packets and retransmissions. */
export const receiverTarget: FuzzTarget = {
  name: 'receiver',
  seeds: () =>
    RECOVERIES.flatMap((recovery, choices) => [
      ...LINKS.map((link) => ({ choices, steps: recordSession(recovery, 'forward', link) })),
      ...VARIANTS.map((changes) => ({ choices, steps: recordSession(recovery, 'forward', LINKS[1]!, changes) })),
    ]),
  mutate: mutateDatagram,
  run: (input, observed) => {
    const { recovery, release, onLoss, mendMs } = choose(input.choices);
    const settings = { reportSsrc: REPORT_SSRC, release, onLoss };
    runReceiver(new Receiver(receiverOptions(sessionParameters(recovery, mendMs), settings)), input, observed);
  },
};

/** Plain RTP of other programs: nothing is known beforehand, and there are no frame marks. */
export const plainReceiverTarget: FuzzTarget = {
  name: 'plain-receiver',
  seeds: () =>
    LINKS.map((link) => ({ choices: 1, steps: recordSession('reorder', 'forward', link).map(withoutExtension) })),
  mutate: mutateDatagram,
  run: (input, observed) => {
    const { recovery, release, onLoss } = choose(input.choices);
    const parameters = streamParameters({
      recovery: recovery === 'none' ? 'none' : 'reorder',
      latency: milliseconds(SESSION_LATENCY_MS),
      frameMarks: false,
      feedback: false,
    });
    const settings = { reportSsrc: REPORT_SSRC, release, onLoss };
    runReceiver(new Receiver(receiverOptions(parameters, settings)), input, observed);
  },
};

function withoutExtension({ pause, bytes }: FuzzStep): FuzzStep {
  if ((bytes[0]! & 0x10) === 0) return { pause, bytes };
  const words = (bytes[14]! << 8) | bytes[15]!;
  const plain = Uint8Array.from([bytes[0]! & ~0x10, ...bytes.subarray(1, 12), ...bytes.subarray(16 + 4 * words)]);
  return { pause, bytes: plain };
}

function runReceiver(receiver: Receiver, { choices, steps }: FuzzInput, observed: Observed): void {
  const { endsBy, total, mendMs } = choose(choices);
  let now: Instant = instant(seconds(1));
  const started = now;
  const output = new ReceiverOutput(observed);
  for (const step of steps) {
    const next = later(now, milliseconds(step.pause));
    driveUntil(receiver, { start: now, end: next, output });
    now = next;
    receiver.handleDatagram(now, step.bytes);
    drain(receiver, now, output);
  }
  receiver.assertBalanced();
  if (endsBy === 1) receiver.endOfStream(now, { frames: total, lastSequence: wireSequence(choices >>> 16) });
  if (endsBy === 2) receiver.handleSent(now, { frames: total, packets: Math.min(total * 3, COUNT_MAX) });
  drain(receiver, now, output);
  const end = later(now, milliseconds(SESSION_LATENCY_MS + mendMs + AFTERWARDS_MS));
  driveUntil(receiver, { start: now, end, output });
  receiver.finish(end);
  drain(receiver, end, output);
  output.settle(receiver);
  const passed = Math.min((end - started) / 1_000_000, 1_000) + 1;
  const allowed = SENT_PER_DATAGRAM_MAX * steps.length + SENT_PER_SECOND_MAX * passed;
  hold(output.datagrams <= allowed, 'answers are bounded');
}
