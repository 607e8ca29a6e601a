import type { SoundDescription } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { elapsed, type Instant, inSeconds, perSecond, toMilliseconds } from '../../protocol/base/units.ts';
import type { LaneEvents, LaneFigures, LaneRates, LaneSettings } from '../../protocol/page/lane-message.ts';
import { Link } from '../../sim/link/link.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { KernelTcp } from './kernel-tcp.ts';
import { KernelTcpLane } from './kernel-tcp-lane.ts';
import { LaneCapture } from './lane-capture.ts';
import { LaneJournal } from './lane-journal.ts';
import { LaneRecord } from './lane-record.ts';
import { LaneSoundRecord } from './lane-sound-record.ts';
import type { LaneTransport } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';
import { TcpLane } from './tcp-lane.ts';
import { UdpLane } from './udp-lane.ts';

export interface LaneOptions {
  readonly settings: LaneSettings;
  readonly link: LinkSpecification;
  /** Run number of the lane, increased by each restart, 0 to 255. */
  readonly run: number;
  readonly startsAt: Instant;
  /** Sound beside the pictures; absent without. */
  readonly sound?: SoundDescription | undefined;
  /** Called for each unit of the sound when it is to be heard. */
  readonly onSound?:
    | ((sound: { readonly unit: AccessUnit; readonly number: number; readonly run: number }) => void)
    | undefined;
  /** The kernel's TCP, for a lane over it; converts from the process's clock to that of the lanes. */
  readonly kernel?: { readonly tcp: KernelTcp; readonly toLaneTime: (at: Instant) => Instant } | undefined;
  /** Called for each frame released by the lane's receiver. */
  readonly onPicture: (picture: {
    readonly unit: AccessUnit;
    readonly frame: number;
    readonly run: number;
    readonly capturedAt: Instant;
  }) => void;
  /** Called when the lane can go on only from a key frame. */
  readonly onKeyFrameRequest: (lane: Lane) => void;
}

/**
 * Header bytes that the bottleneck adds to each datagram: UDP and IPv4, or IPv4 alone (TCP segments include their
 * header).
 */
const HEADER_BYTES = { udp: 28, tcp: 20 } as const;
/** IP protocol numbers. */
const PROTOCOLS = { udp: 17, tcp: 6 } as const;

/**
 * A sender, a receiver and a link in each direction, on a clock controlled by the caller. Events have exact times,
 * however coarse the steps of the clock are. Links with the same seed choose the same fates, so lanes can be compared
 * packet by packet.
 */
export class Lane {
  readonly settings: LaneSettings;
  readonly run: number;
  /** The kernel's TCP that the lane uses; `undefined` for all others. */
  readonly kernel: KernelTcp | undefined;
  readonly #startsAt: Instant;
  readonly #links: readonly [forward: Link, back: Link];
  readonly #journal = new LaneJournal();
  readonly #record = new LaneRecord();
  readonly #capture = new LaneCapture();
  readonly #sound: LaneSoundRecord | undefined;
  readonly #transport: LaneTransport;
  readonly #requestKeyFrame: () => void;
  #pathDelay: number;
  #needsKey = true;
  /** Bytes at the last call of `takeRates`, and its time. */
  #ratesFrom: { readonly at: Instant; readonly sent: number; readonly delivered: number };

  constructor({ settings, link, run, startsAt, kernel, sound, onSound, onPicture, onKeyFrameRequest }: LaneOptions) {
    this.kernel = kernel?.tcp;
    this.settings = settings;
    this.run = run;
    this.#startsAt = startsAt;
    this.#pathDelay = link.delay;
    this.#requestKeyFrame = () => onKeyFrameRequest(this);
    this.#ratesFrom = { at: startsAt, sent: 0, delivered: 0 };
    // Links run on the clock shared by all lanes, so that timed losses and outages hit all lanes alike.
    const headerBytes = HEADER_BYTES[settings.transport];
    const [forward, back] = [
      new Link(link, 'forward', { headerBytes, reports: 'queued' }),
      new Link(link, 'back', { headerBytes }),
    ];
    this.#links = [forward, back];
    const record = sound && new LaneSoundRecord(sound, this.#journal);
    this.#sound = record;
    const options = {
      settings,
      forward,
      back: this.#capture.watching(back, 'back'),
      capture: this.#capture,
      pathDelay: () => this.#pathDelay,
      seed: link.seed,
      journal: this.#journal,
      record: this.#record,
      show: (unit: AccessUnit, frame: number) =>
        onPicture({ unit, frame, run, capturedAt: this.#record.captured(frame)?.at ?? startsAt }),
      sound: sound &&
        record && {
          description: sound,
          record,
          play: (unit: AccessUnit, number: number) => onSound?.({ unit, number, run }),
        },
      requestKeyFrame: this.#requestKeyFrame,
    };
    if (settings.transport === 'udp') this.#transport = new UdpLane(options);
    else if (kernel) this.#transport = new KernelTcpLane(options, startsAt, kernel);
    else this.#transport = new TcpLane(options, startsAt);
    this.#transport.runUntil(startsAt);
  }

  /** True when the lane has failed and must be restarted. */
  get failed(): boolean {
    return this.#transport.failed;
  }

  /** True until the lane's first key frame, and from a refused frame to the next one. */
  get waitsForKey(): boolean {
    return this.#needsKey;
  }

  /** @param picture its place in the source; absent when unknown. */
  send(now: Instant, unit: AccessUnit, picture?: PicturePlace): void {
    this.#transport.runUntil(now);
    if (this.#needsKey && unit.importance !== 'key') return this.#requestKeyFrame();
    this.#needsKey = !this.#transport.send(now, unit, picture);
  }

  /** Sends a unit of the sound, from the first picture on. */
  sendSound(now: Instant, unit: AccessUnit): void {
    this.#transport.runUntil(now);
    if (!this.#needsKey && this.#sound) this.#transport.sendSound(now, unit);
  }

  runUntil(now: Instant): void {
    this.#transport.runUntil(now);
  }

  reconfigure(now: Instant, link: LinkSpecification): void {
    this.#transport.runUntil(now);
    this.#pathDelay = link.delay;
    for (const direction of this.#links) direction.reconfigure(now, link);
  }

  dropNext(packets: number): void {
    this.#transport.path.dropNext(packets);
  }

  /** Bit rate of the video that the path carries, bits per second; `undefined` while unknown. */
  get targetBitrate(): number | undefined {
    return this.#transport.targetBitrate;
  }

  /** Returns the rates since the previous call. */
  takeRates(now: Instant): LaneRates {
    const { at, sent, delivered } = this.#ratesFrom;
    const { bytes, bytesDelivered } = this.#transport.path;
    const span = elapsed(at, now);
    const rate = (amount: number): number => (span > 0 ? Math.round(perSecond(amount * 8, span)) : 0);
    this.#ratesFrom = { at: now, sent: bytes, delivered: bytesDelivered };
    const target = this.settings.follows ? this.targetBitrate : undefined;
    return {
      run: this.run,
      target: target === undefined ? null : Math.round(target),
      sent: rate(bytes - sent),
      delivered: rate(bytesDelivered - delivered),
    };
  }

  /** Returns the packets of the last 30 seconds as pcapng. */
  captureFile(): Uint8Array {
    return this.#capture.file(PROTOCOLS[this.settings.transport]);
  }

  takeEvents(): LaneEvents {
    return this.#journal.take(this.run);
  }

  figures(now: Instant): LaneFigures {
    return {
      run: this.run,
      seconds: inSeconds(elapsed(this.#startsAt, now)),
      ...this.#transport.frames,
      ...this.#record.figures(this.#transport.path.bytes, this.#transport.unsentBytes),
      stalledForMs: toMilliseconds(this.#transport.stalledFor(now)),
      ...(this.#sound && { sound: this.#sound.figures }),
    };
  }
}
