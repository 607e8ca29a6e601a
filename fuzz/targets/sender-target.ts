import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import { RATE_CONTROLS, type RateControl } from '../../sender/rate/rate-control.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { drain, driveUntil } from '../drive.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateDatagram } from '../mutate-datagram.ts';
import { mutateFeedback } from '../mutate-feedback.ts';
import { recordSession, SESSION_FRAMES, sessionParameters, sessionSource } from '../recorded-session.ts';

const LINKS = ['delay=5ms', 'loss=15% delay=20ms jitter=5ms seed=4', 'loss=30% burst=6 delay=40ms seed=9'];
const RATE_LINKS = ['rate=400kbit delay=20ms queue=200ms', 'loss=10% delay=15ms seed=3'];
const FRAME_INTERVAL = milliseconds(100 / 3);
/** Bytes beyond media and its redundancy: the budget's advance, reports, and answers to round-trip probes. */
const BYTES_BESIDE_MAX = 60_000;
const ANSWER_BYTES_MAX = 200;
const REDUNDANCY_MAX = 1.5;

/** Feedback of a receiver: requests, reports, notices, probes. Media flows concurrently. */
export const senderTarget: FuzzTarget = {
  name: 'sender',
  seeds: () =>
    RECOVERIES.flatMap((recovery, choices) =>
      LINKS.map((link) => ({ choices, steps: recordSession(recovery, 'back', link) })),
    ),
  mutate: mutateDatagram,
  run: ({ choices, steps }, observed) => {
    const sender = new Sender(senderOptions(sessionParameters(RECOVERIES[choices % RECOVERIES.length]!)));
    hearFeedback(sender, steps, observed);
  },
};

const rateControl = (choices: number): RateControl => RATE_CONTROLS[choices % RATE_CONTROLS.length]!;

/** Reports on single packets (RFC 8888) that lie, and what each rate control makes of them. */
export const rateTarget: FuzzTarget = {
  name: 'rate-feedback',
  seeds: () =>
    RATE_CONTROLS.flatMap((rate, choices) =>
      RATE_LINKS.map((link) => ({ choices, steps: recordSession('hybrid', 'back', link, { settings: { rate } }) })),
    ),
  mutate: mutateFeedback,
  run: ({ choices, steps }, observed) => {
    const sender = new Sender(senderOptions(sessionParameters('hybrid'), { rate: rateControl(choices) }));
    hearFeedback(sender, steps, observed, () => {
      const { targetBitrate } = sender;
      hold(targetBitrate === undefined || (Number.isFinite(targetBitrate) && targetBitrate > 0), 'a target is a rate');
      observed.count('target', targetBitrate ?? -1);
    });
  },
};

/** Gives a sender these datagrams while it sends. @param check of its state after each one. */
function hearFeedback(sender: Sender, steps: FuzzInput['steps'], observed: Observed, check = (): void => {}): void {
  const source = sessionSource();
  let now: Instant = instant(seconds(1));
  let frameAt: Instant = now;
  let frames = 0;
  let bytes = 0;
  let longest = 0;
  const output = {
    onTimeout: () => observed.spend(1),
    onDatagram: (datagram: Uint8Array) => {
      bytes += datagram.length;
      longest = Math.max(longest, datagram.length);
    },
    onEvent: (event: SenderEvent) => {
      observed.see(event.kind);
      if (event.kind === 'malformed') observed.reason(event.cause);
    },
  };
  const passTo = (end: Instant): void => {
    while (frames < SESSION_FRAMES && frameAt <= end) {
      driveUntil(sender, { start: now, end: frameAt, output });
      if (frameAt > now) now = frameAt;
      observed.see(sender.send(now, source.next()!));
      drain(sender, now, output);
      frames++;
      frameAt = later(frameAt, FRAME_INTERVAL);
    }
    driveUntil(sender, { start: now, end, output });
    now = end;
  };
  for (const step of steps) {
    passTo(later(now, milliseconds(step.pause)));
    sender.handleDatagram(now, step.bytes);
    drain(sender, now, output);
    check();
  }
  passTo(later(now, seconds(2)));
  sender.finish();
  drain(sender, now, output);
  passTo(later(now, seconds(5)));
  const { statistics } = sender;
  const passed = Math.min(now / 1_000_000, 1_000_000);
  const allowed = statistics.bytes * REDUNDANCY_MAX + BYTES_BESIDE_MAX + ANSWER_BYTES_MAX * (steps.length + passed);
  hold(bytes <= allowed, 'answers stay within the redundancy budget');
  hold(longest <= 1_200, 'a datagram is at most as long as agreed');
  for (const [name, value] of Object.entries(statistics)) {
    if (typeof value !== 'number') continue;
    hold(Number.isFinite(value) && value >= 0, `${name} is a number`);
    observed.count(name, value);
  }
}
