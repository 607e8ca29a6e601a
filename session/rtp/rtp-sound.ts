import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { base64Text } from '../../protocol/base/text-codec.ts';
import { milliseconds, ticks } from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import type { RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import { type ReceiverOptions, receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { SoundAnnouncement, SoundRecord } from '../stream/client.ts';
import { randomSsrc } from '../stream/identifiers.ts';
import { SoundMeter } from '../stream/sound-meter.ts';
import { resolveRtpAddress } from './rtp-address.ts';
import { RtpIntake } from './rtp-intake.ts';
import { RtpPath } from './rtp-path.ts';
import type { RtpSync } from './rtp-sync.ts';

/** Sound of plain RTP, as a session description announces it. */
export interface DescribedSound {
  readonly codecName: CodecName;
  readonly clockRate: number;
  /** Address of this machine to which the sound is sent, or its name. */
  readonly host: string;
  /** Port of the sound, which may be that of the pictures (BUNDLE, RFC 9143). */
  readonly port: number;
  readonly rtcpPort: number;
  readonly payloadType: number;
  readonly parameterSets: readonly Uint8Array[];
  /** True when the sender retransmits. */
  readonly requests: boolean;
  readonly retransmissionPayloadType?: number | undefined;
}

/** Ports of the pictures, which the sound may share. */
export interface PicturePorts {
  /** Name of the stream given by the user. */
  readonly name: string;
  readonly host: string;
  /** The address of `host`. */
  readonly address: string;
  readonly port: number;
  readonly send: (datagrams: readonly Uint8Array[]) => void;
}

export interface RtpSoundOptions extends DescribedSound {
  readonly latencyMs: number;
  /** Canonical name of the receiver, also of the pictures. */
  readonly cname: string;
  readonly recovery: 'none' | 'reorder' | 'nack';
  readonly release: 'deadline' | 'asap';
  readonly link: LinkSpecification | undefined;
}

export interface RtpSoundEvents {
  readonly onDatagram: (direction: 'in' | 'out', datagram: Uint8Array) => void;
  /** A unit of the sound on the timeline of the pictures, once these have begun. */
  readonly onUnit: (unit: AccessUnit) => void;
  /** An internal error has ended the reception of the sound until its next packet; `line` describes it. */
  readonly onFault: (line: string) => void;
}

/** Returns how a described sound is announced; `undefined` when its format cannot be told. */
export function announcementOf({ codecName, parameterSets }: DescribedSound): SoundAnnouncement | undefined {
  const format = codecByName(codecName).sound?.describe(parameterSets);
  return format && { codecName, decoder: format.decoder, parameterSets };
}

/** Receives the sound beside the pictures of plain RTP, on ports of its own or on theirs. */
export class RtpSound {
  readonly #options: RtpSoundOptions;
  readonly #events: RtpSoundEvents;
  readonly #sync: RtpSync;
  readonly #path: RtpPath;
  readonly #intake: RtpIntake;
  readonly #meter = new SoundMeter();
  /** Ports of the pictures when the sound shares them. */
  #shared: PicturePorts | undefined;
  /** Packets of the session known to be lost. */
  #neverArrived = 0;

  constructor(options: RtpSoundOptions, sync: RtpSync, events: RtpSoundEvents) {
    this.#options = options;
    this.#events = events;
    this.#sync = sync;
    this.#path = new RtpPath({
      link: options.link,
      onDatagram: events.onDatagram,
      onArrival: (datagram) => this.#intake.receive(datagram),
    });
    this.#intake = new RtpIntake({
      codec: codecByName(options.codecName),
      payloadType: options.payloadType,
      receiverOptions: (first) => this.#receiving(first),
      transmit: (datagrams) => (this.#shared ?? this.#path).send(datagrams),
      onBegin: (first) => this.#begin(first),
      onReport: (ntp, timestamp) => this.#sync.reportSound(ntp, timestamp),
      onEvent: (event) => this.#handleEvent(event),
      onEnd: (statistics) => this.#meter.end(statistics && withLostUnits(statistics)),
      onFault: ({ error, datagrams }, receiving) => {
        const details = { options: receiving, datagrams };
        events.onFault(reportFault({ where: 'receiver of the sound', error, details }));
      },
    });
  }

  /** Outcome of the sound; `undefined` while none has come. */
  get record(): SoundRecord | undefined {
    const { statistics } = this;
    return this.#meter.record(statistics && withLostUnits(statistics));
  }

  get statistics(): ReceiverStatistics | undefined {
    return this.#intake.session?.receiver.statistics;
  }

  /** Opens the ports, unless they are those of the pictures. @throws {Failure} when a port cannot be opened. */
  async open(pictures: PicturePorts): Promise<void> {
    const { port, rtcpPort } = this.#options;
    const host = await this.#address(pictures);
    if (host === pictures.address && port === pictures.port) {
      this.#shared = pictures;
      return;
    }
    await this.#path.open({ host, port, rtcpPort });
  }

  close(): void {
    this.#intake.end();
    this.#path.close();
  }

  /** Takes a datagram from the ports of the pictures. @returns true when it belongs to the sound alone. */
  takeShared(datagram: Uint8Array): boolean {
    const kind = classifyDatagram(datagram);
    if (!this.#shared || kind === 'foreign') return false;
    const { payloadType, retransmissionPayloadType } = this.#options;
    const isRtp = kind === 'rtp';
    if (isRtp && ![payloadType, retransmissionPayloadType].includes(datagram[1]! & 0x7f)) return false;
    this.#intake.receive(datagram);
    return isRtp;
  }

  async #address({ name, host, address }: PicturePorts): Promise<string> {
    const own = this.#options.host;
    return own === host ? address : (await resolveRtpAddress(name, own, 'receive')).address;
  }

  #receiving({ ssrc, payloadType, timestamp }: RtpPacket): ReceiverOptions {
    const { codecName, clockRate, latencyMs, recovery, release, requests, cname } = this.#options;
    const parameters = streamParameters({
      codec: codecByName(codecName),
      ...{ clockRate, ssrc, payloadType, timestampBase: timestamp, frameMarks: false },
      recovery: requests || recovery !== 'nack' ? recovery : 'reorder',
      latency: milliseconds(latencyMs),
    });
    return {
      ...receiverOptions(parameters, { reportSsrc: randomSsrc(), release, cname }),
      foreign: { keyFrames: false, retransmissionPayloadType: this.#options.retransmissionPayloadType },
    };
  }

  #begin({ ssrc, timestamp }: RtpPacket): void {
    const { codecName, clockRate, parameterSets } = this.#options;
    this.#path.source = ssrc;
    this.#neverArrived = 0;
    this.#meter.begin({ codec: codecName, parameterSets: parameterSets.map(base64Text) });
    this.#sync.beginSound(clockRate, { at: now(), timestamp });
  }

  #handleEvent(event: ReceiverEvent): void {
    if (event.kind === 'access-unit') this.#noteLost();
    this.#meter.handleEvent(event);
    const { shift } = this.#sync;
    if (event.kind !== 'access-unit' || shift === undefined) return;
    // Sound before the first picture has no place on the timeline.
    for (const unit of this.#singleFrames(event.unit, shift)) if (unit.timestamp >= 0) this.#events.onUnit(unit);
  }

  /** Packets of which nothing came leave no frame behind: the units of sound have no numbers. */
  #noteLost(): void {
    const neverArrived = this.statistics?.packets.neverArrived ?? 0;
    const frames = neverArrived - this.#neverArrived;
    this.#neverArrived = neverArrived;
    if (frames > 0) this.#meter.handleEvent({ kind: 'dropped', frame: 0, frames, cause: 'neverArrived' });
  }

  /** Frames one by one: some senders put several into a packet (RFC 3640 §3.2). */
  #singleFrames({ parts, timestamp, importance }: AccessUnit, shift: number): AccessUnit[] {
    const { codecName, parameterSets } = this.#options;
    const { sound } = codecByName(codecName);
    let after = 0;
    return parts.map((part) => {
      const shown = ticks(Math.round(timestamp + shift + after));
      after += sound!.durationOf([part], parameterSets);
      return { parts: [part], timestamp: shown, decodeTimestamp: shown, importance };
    });
  }
}

/**
 * Counts a unit for each packet of which nothing came: without frame marks the receiver knows of no unit there, and senders of
 * sound put at least one into a packet.
 */
function withLostUnits(statistics: ReceiverStatistics): ReceiverStatistics {
  const { frames, packets } = statistics;
  const lost = Math.max(0, packets.neverArrived - frames.incomplete - frames.neverArrived);
  const counted = { decided: frames.decided + lost, neverArrived: frames.neverArrived + lost };
  return { ...statistics, frames: { ...frames, ...counted } };
}
