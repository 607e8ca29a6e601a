import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds } from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import { agreedParameters, welcomedParameters, welcomeFields } from '../../protocol/control/stream-agreement.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { SENDER_DEFAULTS, senderOptions } from '../../sender/sender-options.ts';

const KNOWN = { ssrc: 5, initialSequence: wireSequence(65_535), timestampBase: wireTimestamp(2 ** 32 - 1) };
const COMPANIONS = {
  retransmission: { ssrc: 6, payloadType: 97 },
  repair: { ssrc: 7, payloadType: 98 },
};
const CHOICES = { codec: H264, ...KNOWN, datagramBytesMax: 1_400 };

describe('parameters of a stream', () => {
  test.each([
    ['none', 0, false],
    ['reorder', 0, false],
    ['nack', 0.25, false],
    ['fec', 0.25, true],
    ['hybrid', 0.25, true],
  ] as const)('recovery %s has a redundancy of %d, and repair packets: %s', (recovery, redundancy, repairs) => {
    const parameters = streamParameters({ ...KNOWN, ...COMPANIONS, recovery });
    expect(parameters).toMatchObject({ recovery, redundancy });
    expect(parameters.repair !== undefined).toBe(repairs);
  });

  test.each(RECOVERIES)('over TCP, recovery %s only puts packets in order', (recovery) => {
    const parameters = streamParameters({ ...KNOWN, ...COMPANIONS, recovery, transport: 'tcp' });
    expect(parameters).toMatchObject({ recovery: 'none', redundancy: 0 });
    expect(parameters).not.toHaveProperty('repair');
  });
});

describe('a sender and a receiver of the same stream', () => {
  const parameters = streamParameters({ ...KNOWN, ...COMPANIONS, latency: milliseconds(300), datagramBytesMax: 900 });
  const sender = senderOptions(parameters);
  const receiver = receiverOptions(parameters, { reportSsrc: 9 });

  test('agree in all options that both have', () => {
    const { cname: _, ...withoutCname } = sender;
    const both = Object.keys(withoutCname).filter((key) => key in receiver);
    expect(both).toEqual(expect.arrayContaining(['ssrc', 'payloadType', 'repairSsrc', 'recovery', 'initialSequence']));
    for (const key of both) expect(receiver).toHaveProperty(key, sender[key as keyof typeof sender]);
  });

  test.each([
    [0, 0],
    [40, 20],
    [99, 49.5],
    [100, 50],
    [500, 50],
  ])('at a latency of %d ms, a frame is spread over at most %d ms', (latencyMs, spreadMs) => {
    const { spreadMax } = senderOptions({ ...parameters, latency: milliseconds(latencyMs) });
    expect(spreadMax).toBe(milliseconds(spreadMs));
    expect(spreadMax).toBeLessThanOrEqual(SENDER_DEFAULTS.spreadMax);
  });

  test('over TCP, the receiver waits for a late frame; over UDP, it drops it', () => {
    expect(receiver.overdue).toBe('drop');
    expect(receiverOptions({ ...parameters, transport: 'tcp' }, { reportSsrc: 9 }).overdue).toBe('wait');
  });

  test('a receiver has room for all frames of its latency', () => {
    const framesOf = (latency: number) =>
      receiverOptions({ ...parameters, latency: milliseconds(latency) }, { reportSsrc: 9 }).framesMax;
    // At 240 frames per second, with the five seconds for mending.
    expect(framesOf(60_000)).toBe(65 * 240);
    expect(framesOf(120)).toBe(Math.ceil(5.12 * 240));
    const plain = streamParameters({ recovery: 'none', mend: microseconds(0) });
    expect(receiverOptions(plain, { reportSsrc: 9 }).framesMax).toBe(1_024);
  });

  test('a receiver of plain RTP expects no frame marks and no initial number, and sends no reports', () => {
    const plain = streamParameters({ ssrc: 5, recovery: 'reorder', frameMarks: false, feedback: false });
    const options = receiverOptions(plain, { reportSsrc: 9 });
    expect(options).toMatchObject({ frameMarks: false, reports: false });
    for (const unknown of [
      'initialSequence',
      'initialFrameNumber',
      'timestampBase',
      'repairSsrc',
      'retransmissionSsrc',
    ]) {
      expect(options).not.toHaveProperty(unknown);
    }
  });
});

describe('hello and welcome', () => {
  const hellos = (['udp', 'tcp'] as const).flatMap((transport) =>
    RECOVERIES.flatMap((recovery) =>
      [{}, { redundancy: 0.5 }].map((wish) => ({ transport, recovery, latencyMs: 80, ...wish })),
    ),
  );

  test.each(hellos)('give both ends the same parameters for $transport $recovery $redundancy', (hello) => {
    const parameters = agreedParameters(hello, CHOICES);
    expect(welcomedParameters({ ...welcomeFields(parameters), codec: 'h264' }, hello)).toEqual(parameters);
    expect(parameters.latency).toBe(milliseconds(80));
  });

  test('give the three streams of a session distinct SSRCs and payload types', () => {
    const fields = welcomeFields(agreedParameters({ transport: 'udp', recovery: 'hybrid', latencyMs: 80 }, CHOICES));
    const { ssrc, retransmissionSsrc, repairSsrc } = fields;
    expect(new Set([ssrc, retransmissionSsrc, repairSsrc]).size).toBe(3);
    const { payloadType, retransmissionPayloadType, repairPayloadType } = fields;
    expect([payloadType, retransmissionPayloadType, repairPayloadType]).toEqual([96, 97, 98]);
  });

  test('leave the initial sequence number unknown when welcome has none', () => {
    const hello = { transport: 'udp', recovery: 'nack', latencyMs: 80 } as const;
    const { initialSequence: _, ...fields } = welcomeFields(agreedParameters(hello, CHOICES));
    expect(welcomedParameters({ ...fields, codec: 'h264' }, hello)).not.toHaveProperty('initialSequence');
  });
});
