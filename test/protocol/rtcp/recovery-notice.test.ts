import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import {
  parseRecoveryNotice,
  type RecoveryNotice,
  recoveryNoticePacket,
} from '../../../protocol/rtcp/recovery-notice.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';

const PATH: RecoveryNotice = {
  kind: 'path',
  latency: milliseconds(100),
  answerTime: milliseconds(41),
  loss: 0.25,
  burst: 1.5,
  recentLoss: 0.5,
  queueing: microseconds(12_300),
  showsDamaged: true,
  spacing: microseconds(1_200),
};
const REQUEST: RecoveryNotice = {
  kind: 'request',
  number: 0x0102,
  last: true,
  late: false,
  usefulFor: milliseconds(70),
};

const SENT: RecoveryNotice = { kind: 'sent', sequence: wireSequence(65_534) };

describe('a recovery notice', () => {
  test('of the path is five words after the name', () => {
    expect([...serializeRtcp([recoveryNoticePacket(0x0badcafe, PATH)])]).toEqual([
      ...[0x88, 204, 0, 7], // subtype 8, APP, seven words follow
      ...[0x0b, 0xad, 0xca, 0xfe], // SSRC of the sender
      ...[0x44, 0x46, 0x52, 0x4d], // DFRM
      ...[0x00, 0x01, 0x86, 0xa0], // latency 100,000 µs
      ...[0x00, 0x00, 0xa0, 0x28], // answer time 41,000 µs
      ...[0x40, 0x00, 0x01, 0x80], // loss of a quarter, mean burst of 1.5
      ...[0x80, 0x00, 0x80, 0x7b], // recent loss of a half, damaged frames shown, queueing of 12.3 ms
      ...[0x00, 0x00, 0x04, 0xb0], // spacing of 1,200 µs
    ]);
  });

  test('of the path has a sixth word while answers come too late', () => {
    const bytes = serializeRtcp([recoveryNoticePacket(1, { ...PATH, answersLate: 0.125 })]);
    expect([...bytes.subarray(-4)]).toEqual([0x20, 0, 0, 0]);
  });

  test('of a request is two words after the name', () => {
    expect([...serializeRtcp([recoveryNoticePacket(1, REQUEST)])]).toEqual([
      ...[0x89, 204, 0, 4, 0, 0, 0, 1, 0x44, 0x46, 0x52, 0x4d],
      ...[0x01, 0x02, 0x80, 0x00], // number 258, the last
      ...[0x00, 0x01, 0x11, 0x70], // useful for 70,000 µs
    ]);
  });

  test('of the newest packet sent is one word after the name', () => {
    expect([...serializeRtcp([recoveryNoticePacket(1, SENT)])]).toEqual([
      ...[0x8d, 204, 0, 3, 0, 0, 0, 1, 0x44, 0x46, 0x52, 0x4d],
      ...[0xff, 0xfe, 0, 0], // packet 65,534
    ]);
  });

  test.each([PATH, SENT, { ...PATH, answersLate: 0.125 }, REQUEST, { ...REQUEST, last: false }])(
    'round-trips: $kind',
    (notice) => {
      const packets = parseRtcp(serializeRtcp([recoveryNoticePacket(7, notice)]));
      const packet = packets.ok ? packets.value[0] : undefined;
      expect(packet?.kind === 'application' && parseRecoveryNotice(packet)).toEqual({ ok: true, value: notice });
    },
  );

  test('never rounds a loss to 0 or beyond its field', () => {
    const packet = recoveryNoticePacket(1, {
      kind: 'path',
      latency: microseconds(-5),
      answerTime: seconds(1_000_000),
      loss: 1e-9,
      burst: 1_000,
      recentLoss: 1,
      queueing: seconds(1_000),
      showsDamaged: false,
      spacing: seconds(1_000_000),
    });
    expect(parseRecoveryNotice(packet)).toEqual({
      ok: true,
      value: {
        kind: 'path',
        latency: 0,
        answerTime: 0xffff_ffff,
        loss: 1 / 65_536,
        burst: 0xffff / 256,
        recentLoss: 0xffff / 65_536,
        queueing: 0x7fff * 100,
        showsDamaged: false,
        spacing: 0xffff_ffff,
      },
    });
  });

  test('of the path without a spacing field has spacing 0', () => {
    const { data, ...packet } = recoveryNoticePacket(1, PATH);
    const read = parseRecoveryNotice({ ...packet, data: data.subarray(0, 16) });
    expect(read).toEqual({ ok: true, value: { ...PATH, spacing: 0 } });
  });

  test('of another name or subtype is skipped, and a short one is malformed', () => {
    const packet = recoveryNoticePacket(1, REQUEST);
    expect(parseRecoveryNotice({ ...packet, name: 'dfrm' })).toEqual({ ok: true, value: undefined });
    expect(parseRecoveryNotice({ ...packet, subtype: 3 })).toEqual({ ok: true, value: undefined });
    expect(parseRecoveryNotice({ ...packet, data: packet.data.subarray(4) }).ok).toBe(false);
    expect(parseRecoveryNotice({ ...packet, subtype: 8 }).ok).toBe(false);
  });

  test('parsing never throws on arbitrary bytes, and a burst is at least one packet', () => {
    fc.assert(
      fc.property(fc.constantFrom(8, 9), fc.uint8Array({ maxLength: 20 }), (subtype, data) => {
        const notice = parseRecoveryNotice({ kind: 'application', ssrc: 1, subtype, name: 'DFRM', data });
        if (notice.ok && notice.value?.kind === 'path') expect(notice.value.burst).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('a queue notice', () => {
  const notice: RecoveryNotice = {
    kind: 'queue',
    sequence: wireSequence(0xfffe),
    queueing: microseconds(45_600),
    records: true,
    latency: milliseconds(130),
  };

  test('has the sequence number, R with the queueing in tenths of a millisecond, and the latency', () => {
    const packet = recoveryNoticePacket(3, notice);
    // 456 tenths, 130,000 microseconds.
    expect([packet.subtype, ...packet.data]).toEqual([12, 0xff, 0xfe, 0x81, 0xc8, 0x00, 0x01, 0xfb, 0xd0]);
    expect(parseRecoveryNotice(packet)).toEqual({ ok: true, value: notice });
  });

  test('is malformed when it is cut, and ends at 3.3 s of queueing', () => {
    const packet = recoveryNoticePacket(3, { ...notice, queueing: seconds(60) });
    expect(parseRecoveryNotice({ ...packet, data: packet.data.subarray(0, 7) })).toMatchObject({ ok: false });
    expect(parseRecoveryNotice(packet)).toMatchObject({ value: { queueing: microseconds(3_276_700) } });
  });
});
