import { describe, expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { instant, milliseconds, seconds } from '../../protocol/base/units.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { RecordedReceiver, type RecordedReceiverEvent } from '../../receiver/recorded-receiver.ts';
import { Sender } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { Link } from '../../sim/link/link.ts';
import { Simulation } from '../../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../../sim/synthetic-stream.ts';
import { agreed, differences, link, REPORT_SSRC, START } from '../simulated-session.ts';

/** A film with one key frame, in which every other frame refers to the one before it. */
const FILM = {
  keyInterval: 10_000,
  framesPerSecond: 30,
  frameBytes: 6_000,
  keyFrameBytes: 40_000,
  discardableEvery: 3,
};

function run(
  create: (options: Parameters<typeof receiverOptions>) => Receiver | RecordedReceiver,
  { frames = 300, keyInterval = FILM.keyInterval } = {},
) {
  const parameters = agreed({ latency: milliseconds(60), recovery: 'hybrid' });
  const sender = new Sender(senderOptions(parameters));
  const receiver = create([parameters, { reportSsrc: REPORT_SSRC, onLoss: 'smear', records: true }]);
  const source = new SyntheticStream({ ...FILM, keyInterval, frames, seed: 7 });
  const sent: AccessUnit[] = [];
  const events: RecordedReceiverEvent[] = [];
  let endAt: ReturnType<typeof instant> | undefined;
  const feed = new LiveFeed({
    startAt: START,
    next: () => source.next(),
    deliver: (now, unit) => {
      if (sender.send(now, unit) === 'queued') sent.push(unit);
    },
    finish: () => {
      sender.finish();
      endAt = instant(START + seconds(frames / FILM.framesPerSecond) + milliseconds(100));
    },
  });
  const tellEnd = {
    pollTimeout: () => endAt,
    run: (now: ReturnType<typeof instant>) => {
      endAt = undefined;
      receiver.endOfStream(now, { frames: sender.statistics.frames, lastSequence: sender.lastSequence });
    },
  };
  new Simulation<unknown, RecordedReceiverEvent>({
    sender,
    receiver,
    forward: new Link(link('loss=8% burst=6 delay=30ms seed=3'), 'forward'),
    back: new Link(link('delay=30ms'), 'back'),
    scripts: [feed, tellEnd],
    onReceiverEvent: (_, event) => events.push(event),
  }).runUntil(instant(seconds(frames / FILM.framesPerSecond + 8)));
  receiver.assertBalanced();
  const shown = events.flatMap((event) => (event.kind === 'access-unit' ? [event] : []));
  const recorded = events.flatMap((event) => (event.kind === 'recorded' ? [event.unit] : []));
  return { sent, events, shown, recorded, sender, receiver };
}

const both = (film = {}) => run((options) => new RecordedReceiver(receiverOptions(...options)), film);
const alone = () => run((options) => new Receiver(receiverOptions(...options)));

describe('a recording beside a viewer who is shown damage', () => {
  test('is the whole stream, in order, though frames came after their time', () => {
    const { sent, recorded, receiver } = both();
    expect(differences(recorded, sent)).toEqual([]);
    const { overdue, incomplete, neverArrived } = receiver.statistics.frames;
    expect(overdue + incomplete + neverArrived).toBeGreaterThan(10);
  });

  test('waits for what is missing before a key frame that has come', () => {
    const { sent, recorded } = both({ frames: 290, keyInterval: 6 });
    expect(differences(recorded, sent)).toEqual([]);
  });

  test('takes next to nothing from the viewer', () => {
    const [beside, without] = [both(), alone()];
    const inTime = ({ receiver }: typeof beside) => {
      const { onTime, recovered } = receiver.statistics.frames;
      return onTime + recovered;
    };
    expect(beside.receiver.statistics.frames.mended).toBe(0);
    // Both share the redundancy budget, and other packets are lost.
    expect(inTime(beside)).toBeGreaterThanOrEqual(0.98 * inTime(without));
    expect(beside.shown.every(({ decodeOnly }) => !decodeOnly)).toBe(true);
  });

  test('asks for each packet once for both', () => {
    const { sender, receiver } = both();
    const { retransmissions, lateBytes } = sender.statistics;
    const { late, repaired, recoveredInRound } = receiver.statistics.packets;
    const missing = recoveredInRound.reduce((sum, count) => sum + count, late + repaired);
    // Two requests for each would double them; some are lost again.
    expect(retransmissions).toBeLessThanOrEqual(1.2 * missing);
    expect(lateBytes).toBeGreaterThan(0);
  });

  test('ends once, when both streams have ended', () => {
    const { events, receiver } = both();
    expect(events.filter(({ kind }) => kind === 'ended')).toHaveLength(1);
    expect(events.at(-1)).toEqual({ kind: 'ended' });
    expect(receiver.ended).toBe(true);
  });
});
