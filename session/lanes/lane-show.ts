import { basename } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { TemporaryFolder } from '../../io/os/temporary-folder.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import type { LaneAnnouncement, LaneSettings, LanesRates, LanesState } from '../../protocol/page/lane-message.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { parseRunningLink } from '../../sim/link/running-link.ts';
import { pageSound } from '../run/page-sound.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { FollowedSource } from './followed-source.ts';
import { KernelOffer } from './kernel-offer.ts';
import type { LaneShowOptions, LaneStage, NewFile } from './lane-show-options.ts';
import { FRAME_LATE_MAX, Lanes } from './lanes.ts';
import { PictureNumbers } from './picture-numbers.ts';
import { SettingsOrder } from './settings-order.ts';

const EVENTS_MS = 50;
const FIGURES_MS = 500;
const RATES_MS = 250;
/** Time that a changed lane waits for a key frame of the source: more than most streams have between two of them. */
const KEY_WAIT_MS = 2_000;
/** Name of a lane over the kernel's TCP, as on the page. */
const KERNEL_LANE = 'TCP kernel';
const STARTING = 'the encoder is starting';
const NO_ENCODER = 'this lane follows the path, for which there is no encoder here';

type Settings = Omit<Extract<LaneCommand, { readonly kind: 'settings' }>, 'kind'>;
type Reply = (announcement: LaneAnnouncement) => void;

interface Playing {
  readonly name: string;
  /** File, URL or pattern. */
  readonly input: string;
  readonly media: MediaSource;
  readonly broadcast: Broadcast;
  /** Source of the lanes that follow the path. */
  readonly followed: FollowedSource | undefined;
  /** Folder of an uploaded file; removed once the file is no longer played. */
  readonly folder: TemporaryFolder | undefined;
}

/** The demo without its page: the source, and the lanes over which it is sent. Runs in a process or in a worker of a browser. */
export class LaneShow {
  readonly #options: LaneShowOptions;
  readonly #lanes: Lanes;
  readonly #stage: LaneStage;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #startedAtMs = Date.now();
  #playing: Playing;
  #opening = false;
  #closed = false;
  #openingFollowed: Playing | undefined;
  /** Why lanes that follow the path show nothing; `undefined` while they can. */
  #notFollowing: string | undefined;
  #rates: LanesRates | undefined;
  #keyTimer: NodeJS.Timeout | undefined;
  readonly #kernel: KernelOffer;
  readonly #order = new SettingsOrder();

  constructor(options: LaneShowOptions, stage: LaneStage) {
    this.#options = options;
    this.#stage = stage;
    this.#lanes = new Lanes({
      lanes: options.lanes,
      link: options.link,
      onPicture: (importance, lane, message) => stage.picture(importance, lane, message),
      onSound: (message) => stage.sound(message),
      onKeyFrameRequest: (lane) => this.#playing.followed?.requestKeyFrame(lane),
      kernelTcp: options.kernelTcp,
      onKernelReady: () => this.#waitForKey(),
      onKernelFailure: (why) => this.#kernel.report(why),
    });
    this.#kernel = new KernelOffer(options.kernelTcp, () => {
      if (!this.#closed) this.#sendState();
    });
    const { name, media } = options.source;
    this.#playing = this.#begin({ name, input: options.inputs.get(name) ?? name, media, folder: undefined });
    void this.#updateFollowed();
    this.#timers = [
      setInterval(() => stage.announce(this.#events()), EVENTS_MS),
      setInterval(() => stage.announce(this.#figures()), FIGURES_MS),
      setInterval(() => {
        this.#rates = this.#takeRates();
        stage.announce(this.#rates);
      }, RATES_MS),
    ];
  }

  /** Content of `/summary.json`: the settings and the figures shown on the page. */
  get summary() {
    const { link, source, lanes } = this.#state();
    const figures = this.#lanes.figures;
    return {
      kind: 'lanes',
      link,
      source,
      atMs: this.#lanes.nowMs,
      capacity: this.#rates?.capacity ?? null,
      encoder: this.#rates?.encoder ?? null,
      lanes: lanes.map((settings, index) => ({ settings, figures: figures[index], rates: this.#rates?.lanes[index] })),
    };
  }

  captureFile(lane: number): Uint8Array | undefined {
    return this.#lanes.captureFile(lane);
  }

  /** Makes a key frame of a lane that follows the path, which has none by itself, for a window that joins. */
  requestKeyFrame(lane: number): void {
    if (this.#lanes.settings[lane]?.follows) this.#playing.followed?.requestKeyFrame(this);
  }

  greeting(): readonly LaneAnnouncement[] {
    return [this.#description(), { kind: 'state', state: this.#state() }, this.#figures()];
  }

  /** Executes a command of a page. Failures are reported to its sender, changes to all windows. */
  handleCommand(command: LaneCommand, reply: Reply): void {
    switch (command.kind) {
      case 'settings':
        void this.#set(command, reply);
        return;
      case 'drop':
        return this.#lanes.dropNext(command.packets);
      case 'freeze':
        return this.#lanes.freeze(command.milliseconds);
      case 'restart':
        return this.#lanes.restart(sourceOf(this.#playing.media));
      case 'stop':
        return this.#options.onEnd();
      // Commands between a window and its connection, which has handled them.
      case 'seen':
      case 'rejoin':
        return;
      default:
        command satisfies never;
    }
  }

  /**
   * Plays an uploaded file. Rejects with a one-line reason if it cannot be streamed; the previous source then
   * continues.
   */
  async playUpload({ name, path, folder }: NewFile): Promise<void> {
    if (this.#opening) throw new Failure('another source is being opened');
    this.#opening = true;
    try {
      const media = await this.#options.openInput(path);
      // Under its own name it would hide the source of the same name.
      const shown = this.#options.inputs.has(name) ? `${name} (yours)` : name;
      await this.#replace(this.#order.next(), { name: shown, input: path, media, folder });
    } finally {
      this.#opening = false;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#keyTimer);
    this.#kernel.close();
    this.#lanes.close();
    await this.#stage.close();
    await end(this.#playing);
  }

  /** Validates all settings before applying any. */
  async #set({ lanes, link, source }: Settings, reply: Reply): Promise<void> {
    const order = this.#order.next();
    const asked = link === undefined ? undefined : parseRunningLink(link, this.#options.readTrace);
    if (asked?.ok === false) return this.#decline(asked.malformed, reply);
    if (lanes?.some(({ kernel }) => kernel)) {
      const why = await this.#kernel.ask();
      if (why !== undefined) return this.#decline(`${KERNEL_LANE} cannot be a lane: ${why}`, reply);
    }
    if (source === undefined || source === this.#playing.name || this.#order.isOvertaken(order, 'source')) {
      if (source !== undefined) this.#order.admits(order, 'source');
      this.#change(order, lanes, asked?.value);
      return this.#sendState();
    }
    const input = this.#options.inputs.get(source);
    if (input === undefined) return this.#decline(`unknown source ${source}`, reply);
    if (this.#opening) return this.#decline('another source is being opened', reply);
    this.#opening = true;
    try {
      const media = await this.#options.openInput(input);
      this.#change(order, lanes, asked?.value);
      this.#sendState();
      await this.#replace(order, { name: source, input, media, folder: undefined });
    } catch (error) {
      this.#decline(causeOf(error), reply);
    } finally {
      this.#opening = false;
    }
  }

  /** A film with few key frames would leave a changed lane empty until it loops: all lanes begin again with the film. */
  #beginAgainWithoutKey(): void {
    const playing = this.#playing;
    if (this.#closed || this.#opening || playing.followed || !this.#lanes.waitsForKey) return;
    // They will begin again with the source that is being opened.
    if (this.#openingFollowed === playing) return;
    this.#options.log.info('the video has no key frame for a changed lane: it begins again');
    playing.broadcast.stop();
    this.#playing = this.#begin(playing);
  }

  /** Applies what no newer command has changed while this one waited. */
  #change(order: number, lanes: readonly LaneSettings[] | undefined, link: LinkSpecification | undefined): void {
    // Closed meanwhile: nothing would close what a lane opens now.
    if (this.#closed) return;
    if (lanes && this.#order.admits(order, 'lanes')) {
      this.#stage.arrange(this.#lanes.change(lanes));
      void this.#updateFollowed();
      this.#waitForKey();
    }
    if (link && this.#order.admits(order, 'link')) this.#lanes.reconfigure(link);
  }

  #waitForKey(): void {
    clearTimeout(this.#keyTimer);
    this.#keyTimer = setTimeout(() => this.#beginAgainWithoutKey(), KEY_WAIT_MS);
  }

  async #replace(order: number, next: Omit<Playing, 'broadcast' | 'followed'>): Promise<void> {
    const before = this.#playing;
    if (this.#closed || !this.#order.admits(order, 'source')) {
      await next.media.close();
      return void (await next.folder?.remove());
    }
    this.#playing = this.#begin(next);
    this.#stage.announce(this.#description());
    void this.#updateFollowed();
    this.#sendState();
    await end(before);
  }

  /**
   * Opens the source of the lanes that follow the path once there is such a lane, and closes it when there is none. All
   * lanes begin again with it, so that all show the same picture.
   */
  async #updateFollowed(): Promise<void> {
    const playing = this.#playing;
    if (!this.#lanes.follows) {
      this.#notFollowing = undefined;
      if (!playing.followed) return;
      this.#playing = { ...playing, followed: undefined };
      return playing.followed.close();
    }
    if (playing.followed || this.#openingFollowed === playing) return;
    this.#openingFollowed = playing;
    this.#notFollowing = STARTING;
    const opened = await this.#openFollowed(playing.input);
    if (this.#openingFollowed === playing) this.#openingFollowed = undefined;
    const isWanted = !this.#closed && this.#playing === playing && this.#lanes.follows;
    if (typeof opened === 'string') {
      if (!isWanted) return;
      this.#waitForKey();
      return this.#reportFollowing(opened);
    }
    if (!isWanted) return opened.close();
    playing.broadcast.stop();
    this.#playing = this.#begin(playing, opened);
    this.#reportFollowing(undefined);
  }

  async #openFollowed(input: string): Promise<MediaSource | string> {
    try {
      return (await this.#options.openFollowed?.(input)) ?? NO_ENCODER;
    } catch (error) {
      return causeOf(error);
    }
  }

  #reportFollowing(why: string | undefined): void {
    if (why !== undefined) this.#options.log.warn(why);
    this.#notFollowing = why;
    this.#sendState();
  }

  #follow(media: MediaSource): FollowedSource {
    const followed: FollowedSource = new FollowedSource({
      media,
      loop: this.#options.loop,
      lateMax: FRAME_LATE_MAX,
      targets: () => this.#lanes.targets,
      onUnit: (unit, dueAt, picture) => this.#lanes.follow(unit, dueAt, picture),
      onStall: (late) => this.#playing.broadcast.delay(late),
      onFailure: (error) => {
        if (this.#playing.followed === followed) this.#reportFollowing(`the encoder failed: ${causeOf(error)}`);
      },
    });
    return followed;
  }

  #begin(next: Omit<Playing, 'broadcast' | 'followed'>, followedMedia?: MediaSource): Playing {
    const { name, input, media, folder } = next;
    this.#lanes.restart(sourceOf(media));
    const followed = followedMedia && this.#follow(followedMedia);
    const { log, loop, onEnd } = this.#options;
    const numbers = new PictureNumbers(media.description.framesPerSecond);
    const broadcast: Broadcast = new Broadcast({
      units: () => media.units(),
      loop,
      lateMax: FRAME_LATE_MAX,
      onUnit: (unit, dueAt) => this.#lanes.send(unit, dueAt, numbers.pictureAt(broadcast.position)),
      sound: media.sound && (() => media.sound!.units()),
      // The lanes' clock waits for the next picture, and with it for the sound.
      soundWaitMax: FRAME_LATE_MAX,
      onSound: (unit, dueAt) => this.#lanes.sendSound(unit, dueAt),
      onSoundFailure: (error) => log.warn(`the sound ends early: ${causeOf(error)}`),
      onEnd: (error) => {
        if (this.#playing?.broadcast !== broadcast) return;
        if (error === undefined) return onEnd();
        const why = `the source failed: ${causeOf(error)}`;
        log.error(why);
        this.#stage.announce({ kind: 'refused', why });
      },
      onStall: (late) => {
        log.debug(`the source is ${Math.round(late / 1_000)} ms behind schedule`);
        followed?.delay(late);
      },
    });
    broadcast.start();
    followed?.start();
    return { name, input, media, broadcast, followed, folder };
  }

  #state(): LanesState {
    const sources = [...new Set([...this.#options.inputs.keys(), this.#playing.name])];
    const link = formatLinkSpecification(this.#lanes.link);
    const notFollowing = this.#notFollowing;
    const settings = { lanes: this.#lanes.settings, link, source: this.#playing.name, sources };
    const noKernelTcp = this.#kernel.obstacle;
    return {
      ...settings,
      ...(notFollowing !== undefined && { notFollowing }),
      ...(noKernelTcp !== undefined && { noKernelTcp }),
    };
  }

  #sendState(): void {
    this.#stage.announce({ kind: 'state', state: this.#state() });
  }

  /** Refuses a command. The state is sent first, so that the control that was moved returns to its value. */
  #decline(why: string, reply: Reply): void {
    this.#options.log.warn(why);
    reply({ kind: 'state', state: this.#state() });
    reply({ kind: 'refused', why });
  }

  #description(): LaneAnnouncement {
    const { media, name } = this.#playing;
    const { width, height } = media.description;
    const { command } = this.#options;
    const sound = pageSound(media.sound?.description);
    const startedAtMs = this.#startedAtMs;
    return { kind: 'description', width, height, title: basename(name), startedAtMs, ...(sound && { sound }), command };
  }

  #takeRates(): LanesRates {
    const { followed } = this.#playing;
    const { capacity, lanes } = this.#lanes.takeRates();
    return {
      kind: 'rates',
      atMs: this.#lanes.nowMs,
      capacity,
      encoder: followed?.state ?? null,
      lanes: lanes.map(({ target, ...rates }) => {
        return { ...rates, target: target === null || !followed ? target : followed.limited(target) };
      }),
    };
  }

  #events(): LaneAnnouncement {
    return { kind: 'events', atMs: this.#lanes.nowMs, lanes: this.#lanes.takeEvents() };
  }

  #figures(): LaneAnnouncement {
    return { kind: 'figures', atMs: this.#lanes.nowMs, lanes: this.#lanes.figures };
  }
}

/** The source as the lanes take it. */
const sourceOf = ({ description, sound }: MediaSource) => ({ ...description, sound: sound?.description });

async function end({ broadcast, followed, media, folder }: Playing): Promise<void> {
  broadcast.stop();
  await followed?.close();
  await media.close();
  await folder?.remove();
}
