import { milliseconds } from '../../protocol/base/units.ts';
import { CODEC_NAMES, type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { parseRtcp, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { SourceLock } from '../../receiver/intake/source-lock.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { RtpSync } from '../../session/rtp/rtp-sync.ts';
import type { FuzzInput, FuzzStep } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { LockedReception } from '../locked-reception.ts';
import { mutateDatagram } from '../mutate-datagram.ts';

const LATENCY_MS = 80;
const FRAMES = 6;
const INTERVAL_MS = 20;
const PAYLOAD_BYTES_MAX = 200;
const REPORT_SSRC = 77;

/** A stream of this codec as another program sends it: a report, frames of one to three packets, and BYE. */
function streamOf(name: CodecName, choices: number): FuzzInput {
  const codec = codecByName(name);
  const ssrc = 1;
  const steps: FuzzStep[] = [];
  let sequence = 65_534;
  for (let frame = 0; frame < FRAMES; frame++) {
    const part = codec.syntheticPart({ key: frame % 3 === 0, bytes: 150 + 150 * (frame % 3), filling: frame + 1 });
    const payloads = codec.packetize([part], { payloadBytesMax: PAYLOAD_BYTES_MAX, headroomBytes: 0 });
    const timestamp = wireTimestamp((frame * INTERVAL_MS * codec.clockRate) / 1_000);
    if (frame % 3 === 0) {
      const ntp = { seconds: 100, fraction: frame * INTERVAL_MS * 4_294_967 };
      const counts = { packetCount: sequence, octetCount: 0, reports: [] };
      const bytes = serializeRtcp([{ kind: 'sender-report', ssrc, ntp, rtpTimestamp: timestamp, ...counts }]);
      steps.push({ pause: 0, bytes });
    }
    payloads.forEach((payload, index) => {
      const marker = index === payloads.length - 1;
      const head = {
        marker,
        payloadType: 96,
        ssrc,
        csrcs: [],
        sequenceNumber: wireSequence(sequence++ & 0xffff),
        timestamp,
      };
      steps.push({ pause: index === 0 ? INTERVAL_MS : 0, bytes: serializeRtpPacket({ ...head, payload }) });
    });
  }
  steps.push({ pause: 0, bytes: serializeRtcp([{ kind: 'goodbye', ssrcs: [ssrc], reason: '' }]) });
  return { choices, steps };
}

/** Streams of other programs in every codec: which packets begin one, how it is received, and how sound is put beside it. */
export const plainStreamsTarget: FuzzTarget = {
  name: 'plain-streams',
  seeds: () => CODEC_NAMES.map(streamOf),
  mutate: mutateDatagram,
  run: ({ choices, steps }, observed) => {
    const codec = codecByName(CODEC_NAMES[choices % CODEC_NAMES.length]!);
    const lock = new SourceLock(codec, choices & 0x100 ? 96 : undefined);
    const sync = new RtpSync();
    const reception = new LockedReception(observed);
    for (const { pause, bytes } of steps) {
      reception.pass(milliseconds(pause));
      const kind = classifyDatagram(bytes);
      observed.see(kind);
      if (kind === 'rtcp') {
        const read = parseRtcp(bytes);
        for (const packet of read.ok ? read.value : []) {
          if (packet.kind === 'goodbye') lock.handleGoodbye(packet.ssrcs);
          if (packet.kind !== 'sender-report') continue;
          if (packet.ssrc === lock.source?.ssrc) sync.reportPictures(packet.ntp, packet.rtpTimestamp);
          else sync.reportSound(packet.ntp, packet.rtpTimestamp);
        }
      }
      const packet = kind === 'rtp' ? parseRtpPacket(bytes) : undefined;
      if (packet?.ok) {
        const verdict = lock.observe(reception.now, packet.value);
        observed.see(verdict);
        if (verdict === 'new') {
          const { ssrc, payloadType, timestamp } = packet.value;
          const parameters = streamParameters({
            ...{ codec, ssrc, payloadType, timestampBase: timestamp, latency: milliseconds(LATENCY_MS) },
            ...{ frameMarks: false, recovery: choices & 0x200 ? 'nack' : 'reorder' },
          });
          const receiver = new Receiver({
            ...receiverOptions(parameters, { reportSsrc: REPORT_SSRC, release: choices & 0x400 ? 'asap' : 'deadline' }),
            foreign: { keyFrames: (choices & 0x800) !== 0 },
          });
          reception.begin(receiver);
          sync.beginPictures(codec.clockRate, { at: reception.now, timestamp });
          if (choices & 0x1000) sync.beginSound(48_000, { at: reception.now, timestamp });
        }
      }
      reception.receive(bytes);
      const { shift } = sync;
      hold(shift === undefined || Number.isFinite(shift), 'the shift of the sound is a number');
    }
    reception.finish();
  },
};
