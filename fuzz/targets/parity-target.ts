import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { parseRtpPacket, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { paddingInPlaceOf } from '../../protocol/rtp/ulpfec.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { ParityIntake } from '../../receiver/intake/parity-intake.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { drain, driveUntil } from '../drive.ts';
import type { FuzzInput, FuzzStep } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateDatagram } from '../mutate-datagram.ts';
import { parityOf } from '../parity-of.ts';
import { ReceiverOutput } from '../receiver-output.ts';

const SSRC = 1;
const MEDIA = 96;
const PARITY = 122;
const FRAMES = 8;
const INTERVAL_MS = 20;
const CODEC = codecByName('h264');
/** A parity packet recovers one media packet; one that is recovered may complete another parity packet that waits. */
const RECOVERED_PER_STEP_MAX = 65;

/** Frames of three packets, each group behind with its parity, in the numbers of the media (RFC 5109), and with a gap. */
function stream(isLong: boolean): FuzzInput {
  const steps: FuzzStep[] = [];
  let sequence = 65_525;
  const packet = (payloadType: number, frame: number, marker: boolean, payload: Uint8Array): Uint8Array =>
    serializeRtpPacket({
      ...{ marker, payloadType, ssrc: SSRC, csrcs: [], payload },
      ...{ sequenceNumber: wireSequence(sequence++ & 0xffff), timestamp: wireTimestamp(frame * INTERVAL_MS * 90) },
    });
  for (let frame = 0; frame < FRAMES; frame++) {
    const part = CODEC.syntheticPart({ key: frame % 4 === 0, bytes: 500, filling: frame + 1 });
    const payloads = CODEC.packetize([part], { payloadBytesMax: 200, headroomBytes: 0 });
    const media = payloads.map((payload, index) => packet(MEDIA, frame, index === payloads.length - 1, payload));
    const parity = packet(PARITY, frame, false, parityOf(media, isLong));
    const arriving = [...media.filter((_, index) => frame % 3 !== 1 || index !== 1), parity];
    arriving.forEach((bytes, index) => void steps.push({ pause: index === 0 ? INTERVAL_MS : 0, bytes }));
  }
  return { choices: 0, steps };
}

/** Parity of other programs (ULPFEC) among media, and the packets that it recovers. */
export const parityTarget: FuzzTarget = {
  name: 'ulpfec',
  seeds: () => [stream(false), stream(true)],
  mutate: mutateDatagram,
  run: ({ choices, steps }, observed) => {
    const parity = new ParityIntake({ ssrc: SSRC, payloadType: MEDIA });
    const parameters = streamParameters({
      ...{ codec: CODEC, ssrc: SSRC, payloadType: MEDIA, timestampBase: wireTimestamp(0), frameMarks: false },
      ...{ recovery: choices & 1 ? 'nack' : 'reorder', latency: milliseconds(80) },
    });
    const receiver = new Receiver({
      ...receiverOptions(parameters, { reportSsrc: 77 }),
      foreign: { keyFrames: false },
    });
    const output = new ReceiverOutput(observed);
    let now: Instant = instant(seconds(1));
    const take = (recovered: readonly Uint8Array[]): void => {
      hold(recovered.length <= RECOVERED_PER_STEP_MAX, 'one packet recovers a bounded number');
      observed.count('recovered', recovered.length);
      for (const packet of recovered) {
        const read = parseRtpPacket(packet);
        hold(!read.ok || read.value.ssrc === SSRC, 'a recovered packet is one of the stream');
        receiver.handleRecovered(now, packet);
      }
    };
    for (const { pause, bytes } of steps) {
      const next = later(now, milliseconds(pause));
      driveUntil(receiver, { start: now, end: next, output });
      now = next;
      const read = parseRtpPacket(bytes);
      const isOwn = read.ok && read.value.ssrc === SSRC;
      const recovered = isOwn && read.value.payloadType !== MEDIA ? parity.handleParity(read.value.payload) : undefined;
      receiver.handleDatagram(now, recovered ? paddingInPlaceOf(bytes, MEDIA) : bytes);
      if (recovered) take(recovered);
      else if (isOwn) take(parity.handleMedia(bytes));
      drain(receiver, now, output);
    }
    const last = later(now, seconds(3));
    driveUntil(receiver, { start: now, end: last, output });
    receiver.finish(last);
    drain(receiver, last, output);
    output.settle(receiver);
  },
};
