import type { LaneAnnouncement, LanePicture, LaneSettings } from '../../protocol/page/lane-message.ts';
import type { LaneSound } from '../../protocol/page/lane-sound.ts';
import { continuedLanes } from './continued-lanes.ts';
import { DecodingEconomy } from './decoding-economy.ts';
import { LaneDecoder } from './lane-decoder.ts';
import { LaneSounds } from './lane-sounds.ts';
import type { DecodedLanes, LanePictures } from './worker-message.ts';

/** Time after which requested pictures count as not coming, milliseconds. */
const REJOIN_MS = 1_000;
/** The decoders of all lanes, in their order. They share one processor: none gets more than it can show. */
export class LaneDecoders {
  #decoders: readonly LaneDecoder[] = [];
  #settings: readonly LaneSettings[] = [];
  readonly #progressed: () => void;
  readonly #rejoin: (lane: number) => void;
  readonly #sounds = new LaneSounds();
  readonly #economy = new DecodingEconomy();
  #ids = 0;
  #rejoiningUntilMs = 0;
  #isResting = false;
  /** How often lanes were continued at the newest pictures. */
  skips = 0;

  /**
   * @param progressed called when a picture was decoded.
   * @param rejoin called with a lane that is to be sent the pictures since its key frame.
   */
  constructor(progressed: () => void, rejoin: (lane: number) => void) {
    this.#progressed = progressed;
    this.#rejoin = rejoin;
  }

  /** Ids of the lanes, in order. */
  get ids(): readonly number[] {
    return this.#decoders.map(({ id }) => id);
  }

  /** Longest time that a picture waits, milliseconds. */
  get behindMs(): number {
    const at = performance.now();
    return Math.max(0, ...this.#decoders.map(({ feed }) => (feed.isCatchingUp ? 0 : feed.behindMs(at))));
  }

  /** True while nothing is decoded; afterwards each lane continues at the newest pictures. */
  get isResting(): boolean {
    return this.#isResting;
  }

  set isResting(isResting: boolean) {
    if (this.#isResting && !isResting) for (const { feed } of this.#decoders) feed.needKey(performance.now());
    this.#isResting = isResting;
  }

  /** Begins again for a new connection: run numbers and clock may belong to another server. */
  forget(): void {
    for (const decoder of this.#decoders) decoder.begin(undefined);
    this.#sounds.forget();
  }

  announced(announcement: LaneAnnouncement): void {
    const at = performance.now();
    if (announcement.kind === 'state') this.#arrange(announcement.state.lanes);
    if (announcement.kind === 'description') void this.#sounds.describe(announcement.sound);
    if (announcement.kind === 'skipped') {
      this.skips++;
      for (const { feed } of this.#decoders) feed.needKey(at);
      this.#economy.fellBehind(at);
      this.#economize();
    }
    if (announcement.kind !== 'events') return;
    for (const [index, { run }] of announcement.lanes.entries()) this.#decoders[index]?.begin(run);
  }

  push(picture: LanePicture): void {
    if (this.#isResting) return;
    this.#decoders[picture.lane]?.push(picture, performance.now());
    this.decode();
  }

  pushSound(sound: LaneSound): void {
    if (this.#isResting) return;
    const id = this.#decoders[sound.lane]?.id;
    if (id !== undefined) this.#sounds.push(id, sound);
  }

  /** Sound of the lanes, of which one can be heard. */
  get sounds(): Pick<LaneSounds, 'listen' | 'hearing' | 'isHeard'> {
    return this.#sounds;
  }

  /** Gives the decoders what they have room for: lanes that catch up come last, and one at a time. */
  decode(): void {
    const at = performance.now();
    const live = this.#decoders.filter(({ feed }) => !feed.isCatchingUp);
    const catchingUp = this.#decoders.filter(({ feed }) => feed.isCatchingUp).slice(0, 1);
    let isFed = true;
    while (isFed) {
      isFed = false;
      for (const decoder of live) if (decoder.decodeNext(at)) isFed = true;
    }
    for (const decoder of catchingUp) while (decoder.decodeNext(at));
  }

  /** The decoded part of the lanes. */
  get decoded(): DecodedLanes {
    const share = this.#economy.decoded;
    return { share: share === 'one-lane' && this.#decoders.length < 2 ? 'all' : share, whole: this.#whole?.id };
  }

  /** Asks for the pictures since the key frame for one lane that needs them; called at intervals. */
  mend(): void {
    const at = performance.now();
    this.#economy.update(at);
    this.#economize();
    if (this.#isResting || at < this.#rejoiningUntilMs || this.#decoders.some(({ feed }) => feed.isCatchingUp)) return;
    const lane = this.#decoders.findIndex(({ feed }) => feed.wantsRejoin(at));
    if (lane < 0) return;
    this.#decoders[lane]!.feed.requested(at);
    this.#rejoiningUntilMs = at + REJOIN_MS;
    this.skips++;
    this.#rejoin(lane);
  }

  /** True when a picture waits to be taken. */
  get hasNewest(): boolean {
    return this.#decoders.some(({ view }) => view.hasNewest);
  }

  takePictures(): readonly LanePictures[] {
    return this.#decoders.map((decoder) => {
      return { ...decoder.takePictures(), soundPeak: this.#sounds.peakOf(decoder.id) };
    });
  }

  /** The lane that is decoded whole when not all are: the one that is heard, or the first. */
  get #whole(): LaneDecoder | undefined {
    return this.#decoders.find(({ id }) => id === this.#sounds.heard) ?? this.#decoders[0];
  }

  #economize(): void {
    const share = this.#economy.decoded;
    const whole = this.#whole;
    for (const decoder of this.#decoders) {
      decoder.feed.keysOnly = share === 'key-frames' || (share === 'one-lane' && decoder !== whole);
    }
  }

  #progress(): void {
    this.decode();
    if (this.hasNewest) this.#progressed();
  }

  #arrange(settings: readonly LaneSettings[]): void {
    const before = this.#decoders;
    this.#decoders = continuedLanes(this.#settings, settings).map((from) => {
      return (from === undefined ? undefined : before[from]) ?? this.#make();
    });
    this.#settings = settings;
    this.#sounds.keep(this.ids);
    for (const decoder of before) if (!this.#decoders.includes(decoder)) decoder.view.reset();
  }

  #make(): LaneDecoder {
    // All lanes are held back, so that they can be compared.
    const id = this.#ids++;
    const on = {
      progressed: () => this.#progress(),
      gaveUp: () => this.#economy.fellBehind(performance.now()),
    };
    return new LaneDecoder(id, on, () => this.#sounds.delayOf(id));
  }
}
