import { DatagramCapture } from '../../io/capture/packet-capture.ts';
import { checkRecordable } from '../../io/mp4/recording.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import type { PageListen } from '../../io/web-server/network-entrance.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, elapsed, type Instant, inMilliseconds, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { Client, ClientEnd, ClientEvents, StreamAnnouncement } from '../stream/client.ts';
import { Outlet, type UnitUse } from './outlet.ts';
import { pageSound } from './page-sound.ts';
import { joinableUnit, Recordings } from './recordings.ts';
import { pageStatistics, type RunSummary, summarizeRun } from './run-summary.ts';
import { announcesSoundAlone, soundAlone, streamChange } from './stream-change.ts';
import {
  checkViewable,
  openViewer,
  type PlayChoice,
  type ViewedStream,
  type Viewer,
  type ViewerEnd,
  type ViewerOptions,
} from './viewer.ts';

export interface ReceiveRunOptions {
  /** Creates the client of this run. */
  readonly connect: (events: ClientEvents) => Client;
  readonly transport: RunSummary['transport'] | 'auto';
  readonly ipv6: boolean;
  readonly latencyMs: number;
  readonly recovery: Recovery;
  readonly link: LinkSpecification | undefined;
  readonly play: PlayChoice;
  readonly pagePort: number | undefined;
  readonly pageListen?: PageListen | undefined;
  readonly openBrowser: boolean;
  readonly output: string | undefined;
  readonly capture: string | undefined;
  readonly log: Log;
  /** Called when the first picture leaves the receiver, with the time since the start of the run. */
  readonly onFirstPicture?: (afterMs: number) => void;
}

const PAGE_STATISTICS_MS = 500;

/** One run of a receiver: joins, plays, records, and summarizes. */
export class ReceiveRun {
  readonly #options: ReceiveRunOptions;
  readonly #client: Client;
  readonly #startedAt = now();
  #stream: StreamAnnouncement | undefined;
  #viewer: Outlet<Viewer> | undefined;
  readonly #recordings: Recordings | undefined;
  /** The stream that the viewer was opened for. */
  #viewed: StreamAnnouncement | undefined;
  /** Viewers that are replaced. */
  readonly #closing: Promise<void>[] = [];
  #capture: DatagramCapture | undefined;
  #failure: unknown;
  #viewerFailed = false;
  #recordingFailed = false;
  #pictures = 0;
  #firstAt: Ticks | undefined;
  #lastAt: Ticks | undefined;
  #restarted = false;
  #paused = false;
  #rate: { at: Instant; bytes: number; value: number | null } = { at: now(), bytes: 0, value: null };

  constructor(options: ReceiveRunOptions) {
    this.#options = options;
    const { log, output } = options;
    this.#recordings =
      output === undefined
        ? undefined
        : new Recordings({
            path: output,
            log,
            onFailure: (error) => this.#failRecording(error),
            onAbandoned: () => this.stop(),
          });
    this.#client = options.connect({
      onWaiting: (text) => log.info(text),
      onStream: (stream, streams) => {
        this.#capture?.announce({ name: stream.media.name, streams, encrypted: this.#client.encrypted });
        this.#begin(stream);
      },
      onUnit: (unit, how) => this.#show(unit, how),
      onRecordedUnit: (unit) => this.#recordings?.write(unit),
      onSound: (unit) => this.#playSound(unit),
      onDrop: (event) => log.debug('frame dropped', { frame: event.frame, frames: event.frames, cause: event.cause }),
      onDatagram: (direction, datagram) => this.#capture?.write(direction, datagram),
    });
  }

  get viewerUrl(): string | undefined {
    return this.#viewer?.opened?.url;
  }

  get summary(): RunSummary {
    const { transport, recovery, latencyMs, link, ipv6 } = this.#options;
    return summarizeRun(this.#client.sessions, {
      transport: transport === 'auto' ? 'udp' : transport,
      transports: this.#client.transports,
      sessionCauses: this.#client.sessionCauses,
      sessionCount: this.#client.sessionCount,
      encrypted: this.#client.encrypted,
      recovery,
      latencyMs,
      link,
      media: this.#stream?.media,
      durationSeconds: Math.round(inMilliseconds(elapsed(this.#startedAt, now()))) / 1_000,
      ipv6,
      stalledFor: this.#client.stalledFor,
      recordedFrames: this.#recordings?.written,
      segments: this.#client.segments,
      modeledTcp: this.#client.modeledTcp,
      hostFaults: this.#client.hostFaults,
      sound: this.#client.sound,
    });
  }

  /**
   * Place of the last frame shown, seconds. In a file that the sender plays once it is the place in the file, of which
   * the duration is known; otherwise the time since the first frame.
   */
  get position(): { readonly seconds: number; readonly of: number | undefined } | undefined {
    if (this.#firstAt === undefined || this.#lastAt === undefined) return undefined;
    const durationMs = this.#stream?.media.durationMs ?? null;
    const inFile = durationMs !== null && !this.#restarted;
    const ticks = this.#lastAt - (inFile ? 0 : this.#firstAt);
    return { seconds: ticks / CLOCK_RATE, of: inFile ? durationMs / 1_000 : undefined };
  }

  /** Recent media bit rate, bits per second; `null` before there is anything to measure. */
  bitrate(summary: RunSummary): number | null {
    const at = now();
    const passedMs = inMilliseconds(elapsed(this.#rate.at, at));
    const { bytes, rtpHeaders } = { bytes: summary.bytes.payload, rtpHeaders: summary.bytes.rtpHeaders };
    if (passedMs >= 1_000) {
      const value = ((bytes + rtpHeaders - this.#rate.bytes) * 8_000) / passedMs;
      this.#rate = { at, bytes: bytes + rtpHeaders, value };
    }
    return this.#rate.value;
  }

  /** Runs until the end of the stream, or until `stop`. */
  async run(): Promise<ClientEnd> {
    const { play, output } = this.#options;
    // Foreseeable failures are reported before waiting for a sender.
    if (output !== undefined) await checkRecordable(output);
    await checkViewable(play, this.#options);
    if (this.#options.capture !== undefined) {
      this.#capture = await DatagramCapture.open(this.#options.capture, (error) => this.#fail(error));
    }
    const ticker = setInterval(() => {
      const viewer = this.#viewer?.opened;
      if (!viewer) return;
      const { summary } = this;
      viewer.statistics(pageStatistics(summary, this.bitrate(summary)));
    }, PAGE_STATISTICS_MS);
    try {
      const end = await this.#client.run();
      if (this.#failure) throw this.#failure;
      return end;
    } finally {
      clearInterval(ticker);
      await this.#close();
    }
  }

  stop(): void {
    this.#client.stop();
  }

  /** Pauses the stream for this receiver, or resumes it live. */
  togglePause(): void {
    this.#paused = !this.#paused;
    this.#client.setPlaying(!this.#paused);
    this.#options.log.info(this.#paused ? 'paused' : 'playing');
  }

  #begin(stream: StreamAnnouncement): void {
    const { log, play } = this.#options;
    const again = this.#stream !== undefined;
    this.#restarted = again;
    this.#stream = stream;
    const { media } = stream;
    const rate = media.framesPerSecond === null ? '' : ` ${Number(media.framesPerSecond.toFixed(2))} fps`;
    const size = announcesSoundAlone(stream) ? 'sound' : `${media.width}×${media.height}`;
    log.info(
      `${media.name}: ${size}${media.rotation ? `, rotated by ${media.rotation}°,` : ''}${rate} ${media.codec} (${media.mode}), latency ${stream.latencyMs} ms, ` +
        `${stream.sound ? `sound ${stream.sound.decoder}, ` : ''}` +
        `${stream.position === 'live' ? 'joining live at the next key frame' : 'from the start'}`,
    );
    this.#recordings?.begin(stream);
    if (play !== 'none') this.#viewer = again ? this.#viewAgain(play, stream) : this.#openViewer(play, stream);
  }

  /** A page shows whatever stream returns; a player is opened for one codec, and anew for another. */
  #viewAgain(play: Exclude<PlayChoice, 'none'>, stream: StreamAnnouncement): Outlet<Viewer> | undefined {
    const [viewer, viewed] = [this.#viewer, this.#viewed];
    const change = viewed && streamChange(viewed, stream);
    if (!viewer || this.#viewerFailed) return viewer;
    if (change === undefined || viewer.opened?.describe) {
      viewer.opened?.describe?.(viewedStream(stream));
      return viewer;
    }
    const { opened } = viewer;
    this.#options.log.info(`${opened?.name ?? 'the player'} is opened again: the sender has returned with ${change}`);
    const closed = viewer.close();
    this.#closing.push(closed);
    // What opens at the same time is not late for the one that closes; two pages would have one port.
    return this.#openViewer(play, stream, opened ? undefined : closed);
  }

  /** @param after what is awaited before. */
  #openViewer(
    play: Exclude<PlayChoice, 'none'>,
    stream: StreamAnnouncement,
    after: Promise<void> = Promise.resolve(),
  ): Outlet<Viewer> {
    const { log, pagePort, pageListen, openBrowser } = this.#options;
    this.#viewed = stream;
    const options: ViewerOptions = {
      ...viewedStream(stream),
      play,
      pagePort,
      pageListen,
      openBrowser,
      log,
      onCommand: (command) => {
        if (command === 'stop') this.stop();
        else this.#client.requestKeyFrame();
      },
    };
    return new Outlet(
      after.then(() => openViewer(options)),
      {
        onFailure: (error) => this.#fail(error),
        onOpen: (viewer) => {
          log.debug(`showing in ${viewer.name}`);
          void viewer.ended.then((end) => this.#handleViewerEnd(end));
        },
      },
    );
  }

  /** Closing the window ends the run; a failed player ends only the playback. */
  #handleViewerEnd({ text, failed }: ViewerEnd): void {
    const { log, output, capture } = this.#options;
    if (!failed) {
      log.info(text);
      return this.stop();
    }
    this.#viewerFailed = true;
    if ((output === undefined || this.#recordingFailed) && capture === undefined) return this.#fail(new Failure(text));
    log.warn(`${text}; the recording continues`);
  }

  /** A recording that fails ends the run when nothing else is left to do; the run has failed in any case. */
  #failRecording(error: unknown): void {
    this.#recordingFailed = true;
    const { log, play } = this.#options;
    if (play === 'none' || this.#viewerFailed) return this.#fail(error);
    this.#failure ??= error instanceof Failure ? error : new Failure(causeOf(error));
    log.warn(`the recording ended: ${causeOf(error)}; the stream continues`);
  }

  #show(unit: AccessUnit, how: UnitUse): void {
    if (this.#pictures++ === 0) {
      this.#options.onFirstPicture?.(Math.round(inMilliseconds(elapsed(this.#startedAt, now()))));
    }
    this.#firstAt ??= unit.timestamp;
    this.#lastAt = ticks(Math.max(this.#lastAt ?? unit.timestamp, unit.timestamp));
    // A player that opens late or resets can start at any key frame with its parameter sets.
    const isSound = this.#stream !== undefined && announcesSoundAlone(this.#stream);
    this.#viewer?.write(this.#stream ? joinableUnit(unit, this.#stream) : unit, isSound ? { ...how, isSound } : how);
  }

  #playSound(unit: AccessUnit): void {
    this.#viewer?.write(unit, { decodeOnly: false, isSound: true });
    this.#recordings?.writeSound(unit);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Failure ? error : new Failure(causeOf(error));
    this.stop();
  }

  async #close(): Promise<void> {
    await this.#recordings?.close();
    await Promise.all([...this.#closing, this.#viewer?.close()]);
    await this.#capture?.close();
    if (this.#failure) throw this.#failure;
  }
}

/** How a viewer is told about a stream. */
const viewedStream = (stream: StreamAnnouncement): ViewedStream => {
  const { codecName, parameterSets, media, sound } = stream;
  return {
    codecName,
    parameterSets,
    sound: announcesSoundAlone(stream) ? soundAlone(stream) : sound,
    description: {
      sound: pageSound(sound),
      title: media.name,
      codec: media.codec,
      width: media.width,
      height: media.height,
      ...(media.rotation && { rotation: media.rotation }),
      ...(media.framesPerSecond === null ? {} : { framesPerSecond: media.framesPerSecond }),
    },
  };
};
