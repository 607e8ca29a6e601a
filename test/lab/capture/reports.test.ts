import { expect, test } from 'vitest';
import { captureResult } from '../../../lab/capture/capture-result.ts';
import { observeReceiver } from '../../../lab/capture/observation.ts';
import { fitReports } from '../../../lab/capture/report-fit.ts';
import { CaptureReader, type RtpStream } from '../../../lab/capture/rtp-streams.ts';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../../protocol/capture/captured-datagrams.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../../protocol/capture/pcapng.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { compactNtp, compactNtpFromMicroseconds, ntpFromInstant } from '../../../protocol/rtp/ntp.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';

const SSRC = 77;
const START_US = 1_000_000_000;
const ROUND_TRIP_US = 60_000;

/** A capture at the sender: 100 s of sound, a report each way every second, of which every tenth packet was lost. */
function senderCapture(): RtpStream {
  const datagrams = new CapturedDatagrams();
  const packets: { at: number; packet: Uint8Array }[] = [];
  const push = (atUs: number, direction: 'forward' | 'back', bytes: Uint8Array) =>
    packets.push({ at: START_US + atUs, packet: datagrams.wrap(direction, bytes) });
  for (let index = 0; index < 5_000; index++) {
    const at = index * 20_000;
    push(
      at,
      'forward',
      serializeRtpPacket({
        marker: false,
        payloadType: 111,
        sequenceNumber: wireSequence(index),
        timestamp: wireTimestamp(index * 960),
        ssrc: SSRC,
        csrcs: [],
        payload: new Uint8Array(20),
      }),
    );
    if (index % 50 !== 49) continue;
    const ntp = ntpFromInstant(instant(START_US + at + 1));
    push(
      at + 1,
      'forward',
      serializeRtcp([
        {
          kind: 'sender-report',
          ssrc: SSRC,
          ntp,
          rtpTimestamp: wireTimestamp(index * 960),
          packetCount: index,
          octetCount: 0,
          reports: [],
        },
      ]),
    );
    const report = {
      ssrc: SSRC,
      fractionLost: 25,
      cumulativeLost: Math.floor(index / 10),
      highestSequence: index,
      jitter: 240,
      lastSenderReport: compactNtp(ntp),
      delaySinceLastSenderReport: compactNtpFromMicroseconds(microseconds(5_000)),
    };
    push(at + 5_001 + ROUND_TRIP_US, 'back', serializeRtcp([{ kind: 'receiver-report', ssrc: 5, reports: [report] }]));
  }
  packets.sort((one, other) => one.at - other.at);
  const reader = new CaptureReader();
  const file = [
    sectionHeader(),
    interfaceDescription('eth0'),
    ...packets.map(({ at, packet }) => enhancedPacket({ interfaceIndex: 0, at: instant(at), packet })),
  ];
  for (const block of file) expect(reader.push(block)).toBeUndefined();
  return reader.contents.streams[0]!;
}

test('at the sender, reports tell loss, jitter and round trip, and the answer says what they do not', () => {
  const stream = senderCapture();
  expect(Math.min(...stream.roundTrips)).toBeGreaterThan(ROUND_TRIP_US - 50);
  expect(Math.max(...stream.roundTrips)).toBeLessThan(ROUND_TRIP_US + 50);
  const reports = fitReports(stream, 48_000);
  expect(reports?.loss.value).toBeCloseTo(0.1, 3);
  expect(reports?.jitterUs).toBe(5_000);
  const observation = observeReceiver(stream);
  if (typeof observation === 'string') throw new Error(observation);
  const opened = {
    observation,
    stream,
    streams: [stream],
    roundTripUs: ROUND_TRIP_US,
    isOneClock: false,
    warnings: [],
  };
  const { line, untold } = captureResult(opened, undefined);
  expect(line).toMatch(/^loss=10(\.\d+)?% delay=30ms jitter=4431us dist=normal$/);
  expect(untold.join()).toContain('reports have only sums');
});
