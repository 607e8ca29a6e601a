import type { AccessUnit } from '../../protocol/access-unit.ts';
import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { CONTROL_USER_AGENT } from '../../protocol/control/control-version.ts';
import { agreedParameters } from '../../protocol/control/stream-agreement.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { PacketKind } from '../../protocol/page/lane-message.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { originalSequenceOf } from '../../protocol/rtp/retransmission.ts';
import { RTP_HEADER_BYTES } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { type SentStreamParameters, STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { BundledReceiver, type BundledReceiverEvent } from '../../receiver/bundled-receiver.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { BundledSender } from '../../sender/bundled-sender.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { SentFrames } from '../../sim/sent-frames.ts';
import { MEDIA_SSRC, REPORT_SSRC, RETRANSMISSION_SSRC, simulatedStream } from '../../sim/simulated-stream.ts';
import { Simulation } from '../../sim/simulation.ts';
import { LanePath } from './lane-path.ts';
import type { FrameCounts } from './lane-record.ts';
import { decide, type LaneTransport, type LaneTransportOptions, payloadBytes } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';

/** Fixed identifiers, which the page shows unchanged. */
const START = { initialSequence: wireSequence(1_000), timestampBase: wireTimestamp(0) } as const;
/** SSRC of the sound; those of its retransmissions and its repair packets differ in the last two bits. */
const SOUND_SSRC = 8;
/** SSRC of the reports on the sound. */
const SOUND_REPORT_SSRC = 11;
/** Field offsets in an RTP packet (RFC 3550 §5.1). */
const SEQUENCE_OFFSET = 2;
const SSRC_OFFSET = 8;

type SoundEvent = Extract<BundledReceiverEvent, { readonly kind: 'sound' }>['event'];

/** A lane over dropframe's UDP transport: the same `Sender` and `Receiver` as over sockets. */
export class UdpLane implements LaneTransport {
  readonly path: LanePath;
  readonly failed = false;
  /** The pacer's queue is a few milliseconds long, too short to show. */
  readonly unsentBytes = 0;
  readonly #options: LaneTransportOptions;
  readonly #sender: BundledSender;
  readonly #receiver: BundledReceiver;
  readonly #simulation: Simulation<SenderEvent, BundledReceiverEvent>;
  readonly #sentFrames = new SentFrames();
  /** Frame that a wire sequence number was last used for. */
  readonly #frameOf = new Uint32Array(0x1_0000);
  #frames = 0;
  #refused = 0;

  constructor(options: LaneTransportOptions) {
    this.#options = options;
    const { recovery, latencyMs, onLoss, follows } = options.settings;
    const parameters = simulatedStream({ ...START, recovery, latency: milliseconds(latencyMs) });
    const sound = soundParameters(options);
    this.#sender = new BundledSender(
      new Sender(senderOptions(parameters, { rate: follows ? 'adaptive' : 'measured' })),
      sound && new Sender(senderOptions(sound, { rate: () => new UnlimitedRate() })),
    );
    this.#receiver = new BundledReceiver({
      video: receiverOptions(parameters, { reportSsrc: REPORT_SSRC, onLoss }),
      sound: sound && { ...receiverOptions(sound, { reportSsrc: SOUND_REPORT_SSRC }), ssrc: sound.ssrc },
      recordsApart: false,
    });
    this.#sender.expectReportsFrom('video', REPORT_SSRC);
    if (sound) this.#sender.expectReportsFrom('sound', SOUND_REPORT_SSRC);
    this.path = new LanePath({
      link: options.forward,
      capture: options.capture,
      headerBytes: UDP_IP_HEADER_BYTES,
      streamOf: (datagram) => {
        if (isSound(datagram)) return 'sound';
        return kindOf(datagram) === 'control' ? undefined : 'video';
      },
      observer: {
        onSent: (now, datagram, lost) => this.#note(now, datagram, lost),
        onLost: (number, datagram) => {
          options.record.packetLost(kindOf(datagram));
          options.journal.packetLost(number);
        },
        onArrived: (now, number) => options.journal.packetArrived(number, now, false),
      },
    });
    this.#simulation = new Simulation({
      sender: this.#sender,
      receiver: this.#receiver,
      forward: this.path,
      back: options.back,
      scripts: [],
      onSenderEvent: (_, event) => {
        if (event.kind === 'keyframe-requested') options.requestKeyFrame();
      },
      onReceiverEvent: (now, event) => {
        if (event.kind === 'sound') this.#handleSound(now, event.event);
        else if (event.kind !== 'recorded') this.#handleEvent(now, event);
      },
    });
  }

  get frames(): FrameCounts {
    const { frames, framesWithheld } = this.#receiver.video.statistics;
    return {
      framesOnTime: frames.onTime,
      framesRecovered: frames.recovered,
      framesLate: frames.late + frames.overdue,
      framesMended: frames.mended,
      framesLost: frames.incomplete + frames.neverArrived + frames.undecodable + framesWithheld + this.#refused,
    };
  }

  get targetBitrate(): number | undefined {
    return this.#sender.video.targetBitrate;
  }

  stalledFor(): Microseconds {
    return microseconds(0);
  }

  send(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): boolean {
    const verdict = this.#sender.video.send(now, unit);
    const { importance } = unit;
    if (verdict === 'queued')
      this.#options.record.frameCaptured(this.#frames++, { at: now, importance, picture }, payloadBytes(unit));
    else if (verdict === 'refused') this.#refused++;
    this.#simulation.runUntil(now);
    return verdict !== 'refused';
  }

  sendSound(now: Instant, unit: AccessUnit): void {
    const { record, sound } = this.#options;
    if (this.#sender.sound?.send(now, unit) === 'queued') {
      record.soundCaptured(payloadBytes(unit));
      sound?.record.captured(now, unit);
    }
    this.#simulation.runUntil(now);
  }

  runUntil(now: Instant): void {
    this.#simulation.runUntil(now);
  }

  #note(now: Instant, datagram: Uint8Array, lost: boolean): number | undefined {
    if (isSound(datagram)) return undefined;
    const kind = kindOf(datagram);
    const frame = this.#frameOfDatagram(datagram, kind);
    this.#options.record.packetSent(kind, lost);
    return this.#options.journal.packetSent(now, kind, () => frame, lost);
  }

  #frameOfDatagram(datagram: Uint8Array, kind: PacketKind): number {
    switch (kind) {
      case 'media': {
        this.#sentFrames.next(datagram);
        const { frame } = this.#sentFrames;
        this.#frameOf[readUint16(datagram, SEQUENCE_OFFSET)] = frame;
        return frame;
      }
      case 'again': {
        const original = originalSequenceOf(datagram);
        return original === undefined ? -1 : this.#frameOf[original]!;
      }
      case 'repair':
        return this.#frames - 1;
      case 'control':
        return -1;
      default:
        return kind satisfies never;
    }
  }

  #handleSound(now: Instant, event: SoundEvent): void {
    const { sound } = this.#options;
    if (event.kind === 'access-unit') {
      sound?.record.decided(event.frame, now, event.class);
      if (!event.decodeOnly) sound?.play(event.unit, event.frame);
    } else if (event.kind === 'dropped') {
      for (let more = 0; more < event.frames; more++) sound?.record.decided(event.frame + more, now, event.cause);
    }
  }

  #handleEvent(now: Instant, event: ReceiverEvent): void {
    switch (event.kind) {
      case 'access-unit': {
        const completeAt = instant(now - event.playoutDelay + event.completionDelay);
        decide(this.#options, event.frame, event.class, { completeAt, decidedAt: now });
        return this.#options.show(event.decodeOnly ? { ...event.unit, decodeOnly: true } : event.unit, event.frame);
      }
      case 'dropped':
        for (let more = 0; more < event.frames; more++) {
          decide(this.#options, event.frame + more, event.cause, { completeAt: undefined, decidedAt: now });
        }
        return;
      case 'malformed':
      case 'ended':
        return;
      default:
        event satisfies never;
    }
  }
}

/** Parameters of the sound, with the deadlines and the recovery of the pictures; `undefined` without sound. */
function soundParameters({ settings, sound }: LaneTransportOptions): SentStreamParameters | undefined {
  if (!sound) return undefined;
  const { codecName, clockRate } = sound.description;
  const { recovery, latencyMs } = settings;
  const { datagramBytesMax } = STREAM_DEFAULTS;
  const choices = { ...START, codec: codecByName(codecName), clockRate, ssrc: SOUND_SSRC, datagramBytesMax };
  return agreedParameters({ transport: 'udp', recovery, latencyMs, userAgent: CONTROL_USER_AGENT }, choices);
}

/** True for packets of the sound, its retransmissions and its repair packets. */
function isSound(datagram: Uint8Array): boolean {
  if (datagram.length < RTP_HEADER_BYTES || classifyDatagram(datagram) !== 'rtp') return false;
  return readUint32(datagram, SSRC_OFFSET) >>> 2 === SOUND_SSRC >>> 2;
}

function kindOf(datagram: Uint8Array): PacketKind {
  if (datagram.length < RTP_HEADER_BYTES || classifyDatagram(datagram) !== 'rtp') return 'control';
  const ssrc = readUint32(datagram, SSRC_OFFSET);
  if (ssrc === MEDIA_SSRC) return 'media';
  return ssrc === RETRANSMISSION_SSRC ? 'again' : 'repair';
}
