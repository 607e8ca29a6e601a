import { DatagramCapture } from '../io/datagram-capture.ts';
import { causeOf, Failure } from '../io/failure.ts';
import type { Log } from '../io/log.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import type { WelcomeMessage } from '../protocol/control-message.ts';
import { withParameterSets } from '../protocol/h264/parameter-sets.ts';
import type { PageDescription } from '../protocol/page-message.ts';
import { base64Bytes } from '../protocol/text-codec.ts';
import type { Recovery } from '../receiver/receiver-options.ts';
import type { LinkSpecification } from '../sim/link-specification.ts';
import { Outlet } from './outlet.ts';
import { Recorder } from './recorder.ts';
import { pageStatistics, type RunSummary, summarize } from './run-summary.ts';
import { type ClientEnd, StreamClient } from './stream-client.ts';
import { openViewer, type PlayChoice, type Viewer } from './viewer.ts';

export interface ReceiveRunOptions {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly latencyMs: number;
  readonly recovery: Recovery;
  readonly onLoss: 'freeze' | 'smear';
  readonly link: LinkSpecification | undefined;
  readonly timeoutMs: number;
  readonly play: PlayChoice;
  readonly pagePort: number;
  readonly openBrowser: boolean;
  readonly output: string | undefined;
  readonly capture: string | undefined;
  readonly log: Log;
  /** The first picture of the run left the receiver so long after the run began. */
  readonly onFirstPicture?: (afterMs: number) => void;
}

const PAGE_STATISTICS_MS = 500;

/** One run of a receiver: joins, shows, records, and adds up. */
export class ReceiveRun {
  readonly #options: ReceiveRunOptions;
  readonly #client: StreamClient;
  readonly #startedAt = Date.now();
  #welcome: WelcomeMessage | undefined;
  #parameterSets: Uint8Array[] = [];
  #viewer: Outlet<Viewer> | undefined;
  #recorder: Outlet<Recorder> | undefined;
  #capture: DatagramCapture | undefined;
  #failure: unknown;
  #pictures = 0;
  #rate: { at: number; bytes: number; value: number | null } = { at: Date.now(), bytes: 0, value: null };

  constructor(options: ReceiveRunOptions) {
    this.#options = options;
    const { log } = options;
    this.#client = new StreamClient({
      ...options,
      onWaiting: (cause) => log.info(`waiting for the sender at ${options.host}:${options.port} (${cause})`),
      onWelcome: (welcome) => this.#begin(welcome),
      onUnit: (unit) => this.#show(unit),
      onDrop: (event) => log.debug('frame dropped', { frame: event.frame, cause: event.cause }),
      onDatagram: (direction, datagram) => this.#capture?.write(direction, datagram),
    });
  }

  get viewerUrl(): string | undefined {
    return this.#viewer?.opened?.url;
  }

  get summary(): RunSummary {
    const { transport, recovery, latencyMs, link, host } = this.#options;
    return summarize(this.#client.sessions, {
      transport,
      recovery: transport === 'tcp' ? 'none' : recovery,
      latencyMs,
      link,
      media: this.#welcome?.media,
      durationSeconds: (Date.now() - this.#startedAt) / 1_000,
      ipv6: host.includes(':'),
      segments: this.#client.segments,
    });
  }

  /** Media bits a second of late; `null` before there is anything to measure. */
  bitrate(summary: RunSummary): number | null {
    const at = Date.now();
    const { bytes, rtpHeaders } = { bytes: summary.bytes.payload, rtpHeaders: summary.bytes.rtpHeaders };
    if (at - this.#rate.at >= 1_000) {
      const value = ((bytes + rtpHeaders - this.#rate.bytes) * 8_000) / (at - this.#rate.at);
      this.#rate = { at, bytes: bytes + rtpHeaders, value };
    }
    return this.#rate.value;
  }

  /** Runs to the stream's end, or until `stop`. */
  async run(): Promise<ClientEnd> {
    if (this.#options.capture !== undefined) {
      this.#capture = await DatagramCapture.open(this.#options.capture, (error) => this.#fail(error));
    }
    const ticker = setInterval(() => {
      const summary = this.summary;
      this.#viewer?.opened?.statistics(pageStatistics(summary, this.bitrate(summary)));
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

  #begin(welcome: WelcomeMessage): void {
    const { log, play, output } = this.#options;
    const again = this.#welcome !== undefined;
    this.#welcome = welcome;
    this.#parameterSets = welcome.parameterSets.map(base64Bytes).filter((set) => set !== undefined);
    const { media } = welcome;
    const rate = media.framesPerSecond === null ? '' : ` ${Number(media.framesPerSecond.toFixed(2))} fps`;
    log.info(
      `${media.name}: ${media.width}×${media.height}${rate} ${media.codec} (${media.mode}), latency ${welcome.latencyMs} ms, ` +
        `${welcome.position === 'live' ? 'joining live at the next key frame' : 'from the start'}`,
    );
    if (again) this.#viewer?.opened?.describe(this.#description(welcome));
    else {
      if (play !== 'none') this.#viewer = this.#openViewer(play, welcome);
      if (output !== undefined) this.#recorder = this.#openRecorder(output, welcome);
    }
  }

  #openViewer(play: Exclude<PlayChoice, 'none'>, welcome: WelcomeMessage): Outlet<Viewer> {
    const { log, pagePort, openBrowser } = this.#options;
    const opening = openViewer({
      play,
      description: this.#description(welcome),
      pagePort,
      openBrowser,
      log,
      onCommand: (command) => {
        if (command === 'stop') this.stop();
        else this.#client.send('request-keyframe');
      },
    });
    return new Outlet(opening, {
      onFailure: (error) => this.#fail(error),
      onOpen: (viewer) => {
        log.debug(`showing in ${viewer.name}`);
        void viewer.closedByUser.then((what) => {
          log.info(what);
          this.stop();
        });
      },
    });
  }

  #openRecorder(output: string, { media }: WelcomeMessage): Outlet<Recorder> {
    const { name, codec, width, height, mode, framesPerSecond } = media;
    const description = {
      name,
      codec,
      width,
      height,
      mode: mode === 'x264' ? ('x264' as const) : ('copy' as const),
      framesPerSecond: framesPerSecond ?? undefined,
      durationSeconds: undefined,
      parameterSets: this.#parameterSets,
    };
    const onFailure = (error: unknown) => this.#fail(error);
    return new Outlet(Recorder.open(output, description, onFailure), { onFailure });
  }

  #show(unit: AccessUnit): void {
    if (this.#pictures++ === 0) this.#options.onFirstPicture?.(Date.now() - this.#startedAt);
    const joinable =
      unit.importance === 'key' ? { ...unit, nalUnits: withParameterSets(unit.nalUnits, this.#parameterSets) } : unit;
    // A player that was opened late, or resets, can begin at any key frame that has its parameter sets.
    this.#viewer?.write(joinable);
    // A file needs them once, at its beginning; all else is written as it came.
    this.#recorder?.write(this.#pictures === 1 ? joinable : unit);
  }

  #description({ media }: WelcomeMessage): PageDescription {
    return {
      title: media.name,
      codec: media.codec,
      width: media.width,
      height: media.height,
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
