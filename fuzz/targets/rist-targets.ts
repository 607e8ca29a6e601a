import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { RistRetransmissions } from '../../protocol/rist/rist-retransmissions.ts';
import { TRANSPORT_STREAM_DATAGRAMS } from '../../protocol/rist/transport-stream-datagrams.ts';
import { type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket, RtpLayout, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { SourceLock } from '../../receiver/intake/source-lock.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { RistSender } from '../../sender/rist-sender.ts';
import { drain, driveUntil } from '../drive.ts';
import type { FuzzStep } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { LockedReception } from '../locked-reception.ts';
import { mutateDatagram } from '../mutate-datagram.ts';

const MEDIA_SSRC = 2;
const REPORT_SSRC = 9;
const PAYLOAD_TYPES = { media: 33, again: 127 };
const DATAGRAM_BYTES = 7 * 188;
const INTERVAL = milliseconds(10);
const PACKETS = 30;
/** Longest pause that is run: both ends report every 100 ms, and end when the other has been silent for seconds. */
const PAUSE_MS_MAX = 60_000;
/** Retransmitted bytes beyond the share of the media: what the sender saves of its budget. */
const SAVED_BYTES_MAX = 1_000_000;
const REDUNDANCY_MAX = 1.5;
/** Reports in 100 ms and answers to round-trip requests in 20 ms, bytes a millisecond. */
const REPORT_BYTES_PER_MS = 10;
/** Longest answer to one datagram that the two limits do not hold. */
const ANSWER_BYTES_MAX = 200;

const report: RtcpPacket = { kind: 'receiver-report', ssrc: REPORT_SSRC, reports: [] };
const rist = (subtype: number, data: readonly number[]): RtcpPacket => ({
  ...{ kind: 'application', ssrc: MEDIA_SSRC, subtype, name: 'RIST' },
  data: Uint8Array.from(data),
});
const block = {
  ...{ ssrc: MEDIA_SSRC, fractionLost: 20, cumulativeLost: 3, highestSequence: 65_540, jitter: 9 },
  ...{ lastSenderReport: 0x1_0000, delaySinceLastSenderReport: 100 },
};

/** RTCP of a receiver: reports, requests by bit mask and by range, and measurements of the round trip. */
const FEEDBACK: readonly (readonly RtcpPacket[])[] = [
  [report, { kind: 'source-description', chunks: [{ ssrc: REPORT_SSRC, cname: 'x' }] }],
  [
    report,
    {
      ...{ kind: 'nack', senderSsrc: REPORT_SSRC, mediaSsrc: MEDIA_SSRC },
      sequenceNumbers: [65_531, 65_533, 65_534].map(wireSequence),
    },
  ],
  [report, rist(0, [0xff, 0xfb, 0, 2, 0, 1, 0, 0])],
  [report, rist(2, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0])],
  [{ kind: 'receiver-report', ssrc: REPORT_SSRC, reports: [block] }],
  [
    {
      ...{ kind: 'extended-report', ssrc: REPORT_SSRC },
      blocks: [{ kind: 'receiver-reference-time', ntp: { seconds: 9, fraction: 1 } }],
    },
  ],
];

/** Requests and reports of a receiver by RIST Simple Profile. */
export const ristSenderTarget: FuzzTarget = {
  name: 'rist-sender',
  seeds: () => [
    { choices: 0, steps: [...FEEDBACK, ...FEEDBACK].map((packets) => ({ pause: 25, bytes: serializeRtcp(packets) })) },
  ],
  mutate: mutateDatagram,
  run: ({ steps }, observed) => {
    const sender = new RistSender({
      ...{ ssrc: MEDIA_SSRC, initialSequence: wireSequence(65_530), timestampBase: wireTimestamp(4_294_000_000) },
      ...{ cname: 'fuzz', payloadType: PAYLOAD_TYPES.media },
    });
    const start: Instant = instant(seconds(1));
    let now = start;
    let bytes = 0;
    let sent = 0;
    const output = {
      onTimeout: () => observed.spend(1),
      onDatagram: (datagram: Uint8Array) => {
        bytes += datagram.length;
      },
      onEvent: () => {},
    };
    const passTo = (end: Instant): void => {
      for (; sent < PACKETS && start + sent * INTERVAL <= end; sent++) {
        const at = later(start, milliseconds((sent * INTERVAL) / 1_000));
        driveUntil(sender, { start: now, end: at, output });
        now = at;
        sender.send(now, [new Uint8Array(DATAGRAM_BYTES).fill(0x47)]);
        drain(sender, now, output);
      }
      driveUntil(sender, { start: now, end, output });
      now = end;
    };
    for (const step of steps) {
      passTo(later(now, milliseconds(Math.min(step.pause, PAUSE_MS_MAX))));
      sender.handleDatagram(now, step.bytes);
      drain(sender, now, output);
    }
    passTo(later(now, seconds(1)));
    sender.finish(now);
    drain(sender, now, output);
    const { statistics } = sender;
    const passedMs = (now - start) / 1_000;
    const beside = SAVED_BYTES_MAX + REPORT_BYTES_PER_MS * passedMs + ANSWER_BYTES_MAX * steps.length;
    hold(bytes <= statistics.bytes * REDUNDANCY_MAX + beside, 'answers stay within the budget');
    for (const [name, value] of Object.entries(statistics)) {
      if (typeof value !== 'number') continue;
      hold(Number.isFinite(value) && value >= 0, `${name} is a number`);
      observed.count(name, value);
    }
  },
};

/** Datagrams of MPEG-TS as a sender by RIST sends them: a report, packets with a gap, the answers to requests, and BYE. */
function transportStream(): FuzzStep[] {
  const ntp = { seconds: 100, fraction: 0 };
  const counts = { rtpTimestamp: wireTimestamp(0), packetCount: 0, octetCount: 0, reports: [] };
  const steps: FuzzStep[] = [
    { pause: 0, bytes: serializeRtcp([{ kind: 'sender-report', ssrc: MEDIA_SSRC, ntp, ...counts }]) },
  ];
  const datagram = (index: number, ssrc: number): Uint8Array =>
    serializeRtpPacket({
      ...{ marker: false, payloadType: PAYLOAD_TYPES.media, ssrc, csrcs: [] },
      ...{ sequenceNumber: wireSequence((65_530 + index) & 0xffff), timestamp: wireTimestamp(900 * index) },
      payload: new Uint8Array(188).fill(index).fill(0x47, 0, 1),
    });
  for (let index = 0; index < PACKETS; index++) {
    if (index % 7 !== 3) steps.push({ pause: 10, bytes: datagram(index, MEDIA_SSRC) });
    else steps.push({ pause: 10, bytes: datagram(index - 1, MEDIA_SSRC + 1) });
    if (index % 7 === 5) steps.push({ pause: 0, bytes: datagram(index - 2, MEDIA_SSRC + 1) });
  }
  return [...steps, { pause: 0, bytes: serializeRtcp([{ kind: 'goodbye', ssrcs: [MEDIA_SSRC], reason: '' }]) }];
}

/** MPEG-TS by RIST: which packets begin a stream, its retransmissions, and what is passed on to the demuxer. */
export const ristReceiverTarget: FuzzTarget = {
  name: 'rist-receiver',
  seeds: () => [{ choices: 0, steps: transportStream() }],
  mutate: mutateDatagram,
  run: ({ steps }, observed) => {
    const lock = new SourceLock(TRANSPORT_STREAM_DATAGRAMS, PAYLOAD_TYPES.media);
    const retransmissions = new RistRetransmissions(PAYLOAD_TYPES);
    const layout = new RtpLayout();
    const reception = new LockedReception(observed);
    for (const { pause, bytes } of steps) {
      reception.pass(milliseconds(Math.min(pause, PAUSE_MS_MAX)));
      const isRtp = classifyDatagram(bytes) === 'rtp' && layout.read(bytes) === undefined;
      const datagram = isRtp ? retransmissions.translate(bytes) : bytes;
      const packet = isRtp ? parseRtpPacket(datagram) : undefined;
      if (packet?.ok && packet.value.payloadType === PAYLOAD_TYPES.media) {
        const verdict = lock.observe(reception.now, packet.value);
        observed.see(verdict);
        if (verdict === 'new') {
          const { ssrc, payloadType, timestamp } = packet.value;
          const parameters = streamParameters({
            ...{ codec: TRANSPORT_STREAM_DATAGRAMS, ssrc, payloadType, timestampBase: timestamp, frameMarks: false },
            retransmission: { ssrc: (ssrc | 1) >>> 0, payloadType: PAYLOAD_TYPES.again },
            ...{ recovery: 'nack', latency: milliseconds(80), mend: milliseconds(0) },
          });
          const receiver = new Receiver({
            ...receiverOptions(parameters, { reportSsrc: REPORT_SSRC }),
            foreign: { keyFrames: false, reportInterval: milliseconds(100) },
          });
          reception.begin(receiver);
        }
      }
      reception.receive(datagram);
    }
    reception.finish();
  },
};
