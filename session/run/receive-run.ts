import { DatagramCapture } from '../../io/capture/packet-capture.ts';
import { checkRecordable } from '../../io/mp4/recording.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import type { PageListen } from '../../io/web-server/network-entrance.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, elapsed, type Instant, inMilliseconds, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { PageDescription } from '../../protocol/page/page-message.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { Client, ClientEnd, ClientEvents, SoundAnnouncement, StreamAnnouncement } from '../stream/client.ts';
import { Outlet, type UnitUse } from './outlet.ts';
import { pageSound } from './page-sound.ts';
import { Recorder } from './recorder.ts';
import { pageStatistics, type RunSummary, summarizeRun } from './run-summary.ts';
import { checkViewable, openViewer, type PlayChoice, type Viewer, type ViewerEnd } from './viewer.ts';

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
  #recorder: Outlet<Recorder> | undefined;
  #capture: DatagramCapture | undefined;
  #failure: unknown;
  #viewerFailed = false;
  #recordingFailed = false;
  #pictures = 0;
  #recording = false;
  #firstAt: Ticks | undefined;
  #lastAt: Ticks | undefined;
  #restarted = false;
  #paused = false;
  #rate: { at: Instant; bytes: number; value: number | null } = { at: now(), bytes: 0, value: null };

  constructor(options: ReceiveRunOptions) {
    this.#options = options;
    const { log } = options;
    this.#client = options.connect({
      onWaiting: (text) => log.info(text),
      onStream: (stream, streams) => {
        this.#capture?.announce({ name: stream.media.name, streams, encrypted: this.#client.encrypted });
        this.#begin(stream);
      },
      onUnit: (unit, how) => this.#show(unit, how),
      onRecordedUnit: (unit) => this.#record(unit),
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
      recordedFrames: this.#recorder?.opened?.written,
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
    const { log, play, output } = this.#options;
    const again = this.#stream !== undefined;
    this.#restarted = again;
    this.#stream = stream;
    const { media } = stream;
    const rate = media.framesPerSecond === null ? '' : ` ${Number(media.framesPerSecond.toFixed(2))} fps`;
    const size = isSoundAlone(stream) ? 'sound' : `${media.width}×${media.height}`;
    log.info(
      `${media.name}: ${size}${media.rotation ? `, rotated by ${media.rotation}°,` : ''}${rate} ${media.codec} (${media.mode}), latency ${stream.latencyMs} ms, ` +
        `${stream.sound ? `sound ${stream.sound.decoder}, ` : ''}` +
        `${stream.position === 'live' ? 'joining live at the next key frame' : 'from the start'}`,
    );
    if (again) this.#viewer?.opened?.describe(this.#description(stream));
    else {
      if (play !== 'none') this.#viewer = this.#openViewer(play, stream);
      if (output !== undefined) this.#recorder = this.#openRecorder(output, stream);
    }
  }

  #openViewer(play: Exclude<PlayChoice, 'none'>, stream: StreamAnnouncement): Outlet<Viewer> {
    const { log, pagePort, pageListen, openBrowser } = this.#options;
    const opening = openViewer({
      codecName: stream.codecName,
      parameterSets: stream.parameterSets,
      sound: isSoundAlone(stream) ? soundOf(stream) : stream.sound,
      play,
      description: this.#description(stream),
      pagePort,
      pageListen,
      openBrowser,
      log,
      onCommand: (command) => {
        if (command === 'stop') this.stop();
        else this.#client.requestKeyFrame();
      },
    });
    return new Outlet(opening, {
      onFailure: (error) => this.#fail(error),
      onOpen: (viewer) => {
        log.debug(`showing in ${viewer.name}`);
        void viewer.ended.then((end) => this.#handleViewerEnd(end));
      },
    });
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

  #openRecorder(output: string, { codecName, media, parameterSets, sound }: StreamAnnouncement): Outlet<Recorder> {
    const { name, codec, width, height, rotation, mode, framesPerSecond } = media;
    const description = {
      name,
      codecName,
      codec,
      width,
      height,
      rotation,
      mode: mode === 'x264' || mode === 'opus' ? mode : ('copy' as const),
      framesPerSecond: framesPerSecond ?? undefined,
      durationSeconds: undefined,
      parameterSets,
      sound,
    };
    const onFailure = (error: unknown) => this.#failRecording(error);
    return new Outlet(Recorder.open(output, description, onFailure), {
      onFailure,
      onOpen: (recorder) => void recorder.abandoned.then(() => this.stop()),
    });
  }

  #show(unit: AccessUnit, how: UnitUse): void {
    if (this.#pictures++ === 0) {
      this.#options.onFirstPicture?.(Math.round(inMilliseconds(elapsed(this.#startedAt, now()))));
    }
    this.#firstAt ??= unit.timestamp;
    this.#lastAt = ticks(Math.max(this.#lastAt ?? unit.timestamp, unit.timestamp));
    // A player that opens late or resets can start at any key frame with its parameter sets.
    const isSound = this.#stream !== undefined && isSoundAlone(this.#stream);
    this.#viewer?.write(this.#joinable(unit), isSound ? { ...how, isSound } : how);
  }

  #playSound(unit: AccessUnit): void {
    this.#viewer?.write(unit, { decodeOnly: false, isSound: true });
    this.#recorder?.write(unit, { decodeOnly: false, isSound: true });
  }

  /** The recording is whole: it has the units that come too late to be shown as well. */
  #record(unit: AccessUnit): void {
    // A file needs the parameter sets once, at its start; everything else is written as received.
    this.#recorder?.write(this.#recording ? unit : this.#joinable(unit), { decodeOnly: false });
    this.#recording = true;
  }

  /** A key frame with its parameter sets, and any other unit as it is. */
  #joinable(unit: AccessUnit): AccessUnit {
    const stream = this.#stream;
    if (!stream || unit.importance !== 'key') return unit;
    return { ...unit, parts: codecByName(stream.codecName).withParameterSets(unit.parts, stream.parameterSets) };
  }

  #description({ media, sound }: StreamAnnouncement): PageDescription {
    return {
      sound: pageSound(sound),
      title: media.name,
      codec: media.codec,
      width: media.width,
      height: media.height,
      ...(media.rotation && { rotation: media.rotation }),
      ...(media.framesPerSecond === null ? {} : { framesPerSecond: media.framesPerSecond }),
    };
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Failure ? error : new Failure(causeOf(error));
    this.stop();
  }

  async #close(): Promise<void> {
    await this.#recorder?.close();
    await this.#viewer?.close();
    await this.#capture?.close();
    if (this.#failure) throw this.#failure;
  }
}

/** True for a stream without pictures: its units are those of the sound. */
const isSoundAlone = ({ codecName }: StreamAnnouncement): boolean => codecByName(codecName).mediaType === 'audio';

const soundOf = ({ codecName, media, parameterSets }: StreamAnnouncement): SoundAnnouncement => ({
  codecName,
  decoder: media.codec,
  parameterSets,
});
