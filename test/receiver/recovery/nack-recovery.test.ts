import { expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { parseRecoveryNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../../../protocol/rtcp/rtcp.ts';
import { asSequence, type Sequence } from '../../../protocol/rtp/sequence.ts';
import type { StreamView, TakenPacket } from '../../../receiver/recovery/loss-recovery.ts';
import { NackRecovery } from '../../../receiver/recovery/nack-recovery.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const DUE_MS = 100;

/** Everything is due at 100 ms and serves the decoder until 5 s; the round trip is 60 ms. */
const view: StreamView = {
  mediaSsrc: 1,
  roundTrip: milliseconds(60),
  roundTripSpread: microseconds(0),
  roundTripsWithin: () => 1,
  newest: undefined,
  endKnown: false,
  deadlineOf: () => at(DUE_MS),
  referenceDeadlines: () => () => at(5_000),
};

function stage({ marked }: { marked: boolean }) {
  const recovery = new NackRecovery({
    reportSsrc: 3,
    latency: milliseconds(DUE_MS),
    reorderWait: milliseconds(3),
    records: false,
  });
  const receive = (ms: number, sequence: number, origin: TakenPacket['origin'] = 'sent', transit = 0) =>
    recovery.onPacket(at(ms), {
      sequence: asSequence(sequence),
      origin,
      ahead: origin === 'sent',
      expectedAt: at(ms),
      transit: milliseconds(transit),
      ...(marked && { number: sequence, mark: { packetIndex: 0, packetCount: 1 } }),
    });
  /** Instants and packets of all datagrams up to `untilMs`, polled when the recovery asks for it. */
  const run = (untilMs: number) => {
    const sent: { ms: number; packets: readonly RtcpPacket[] }[] = [];
    for (let next = recovery.pollTimeout(view); next !== undefined && next <= at(untilMs); ) {
      const packets = recovery.poll(next, view);
      if (packets) sent.push({ ms: next / 1_000, packets });
      const again = recovery.pollTimeout(view);
      next = again === next && !packets ? undefined : again;
    }
    return sent;
  };
  return { recovery, receive, run };
}

const asked = (packets: readonly RtcpPacket[]): number[] =>
  packets.flatMap((packet) => (packet.kind === 'nack' ? [...packet.sequenceNumbers] : []));
const notices = (packets: readonly RtcpPacket[]) =>
  packets.flatMap((packet) => {
    const notice = packet.kind === 'application' ? parseRecoveryNotice(packet) : undefined;
    return notice?.ok && notice.value ? [notice.value] : [];
  });

const missing = (sequence: number): Sequence => asSequence(sequence);

test('a late request is repeated in four copies with one number within 22 ms, since each loss of one costs a round trip', () => {
  const { recovery, receive, run } = stage({ marked: true });
  receive(80, 12);
  recovery.onMissing(at(80), missing(11));
  const sent = run(130);
  expect(sent.map(({ ms }) => ms)).toEqual([83, 87, 94, 105]);
  expect(sent.map(({ packets }) => asked(packets))).toEqual([[11], [11], [11], [11]]);
  expect(sent.flatMap(({ packets }) => notices(packets))).toMatchObject(
    Array(4).fill({ kind: 'request', number: 0, late: true }),
  );
});

test('a packet that has arrived is in no further copy', () => {
  const { recovery, receive, run } = stage({ marked: true });
  receive(80, 13);
  recovery.onMissing(at(80), missing(11));
  recovery.onMissing(at(80), missing(12));
  expect(run(84).map(({ packets }) => asked(packets))).toEqual([[11, 12]]);
  receive(85, 11, 'sent-again');
  expect(run(90).map(({ packets }) => asked(packets))).toEqual([[12]]);
  receive(91, 12, 'sent-again');
  expect(run(5_000)).toEqual([]);
});

test('a request that can still be answered in time has no copies', () => {
  const { recovery, receive, run } = stage({ marked: true });
  receive(10, 12);
  recovery.onMissing(at(10), missing(11));
  expect(run(40).map(({ ms }) => ms)).toEqual([13]);
});

test('a sender without frame marks gets each late request once, and no notice', () => {
  const { recovery, receive, run } = stage({ marked: false });
  receive(80, 12);
  recovery.onMissing(at(80), missing(11));
  const sent = run(130);
  expect(sent.map(({ ms, packets }) => [ms, packets.map(({ kind }) => kind)])).toEqual([[83, ['nack']]]);
});

test('a standing queue is reported to our own sender only', () => {
  for (const marked of [true, false]) {
    const { recovery, receive } = stage({ marked });
    receive(0, 10);
    for (let ms = 10; ms <= 300; ms += 10) receive(ms, 10 + ms, 'sent', 45);
    const queue = { kind: 'queue', sequence: 310, queueing: milliseconds(45) };
    expect(notices(recovery.poll(at(300), view) ?? [])).toMatchObject(marked ? [queue] : []);
  }
});
