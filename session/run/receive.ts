import { type HostAndPort, parseHostAndPort } from '../../io/net/host-and-port.ts';
import { lineLog } from '../../io/os/log.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { checkChoice, checkMilliseconds, checkShare } from '../../protocol/base/option-checks.ts';
import { LATENCY_MS_MAX, MEND_MS_DEFAULT, MEND_MS_MAX } from '../../protocol/control/latency-limit.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import type { StreamAnnouncement } from '../stream/client.ts';
import { dropframeClient } from '../stream/dropframe-client.ts';
import { ReceiveRun } from './receive-run.ts';
import type { RunSummary } from './run-summary.ts';
import type { PlayChoice } from './viewer.ts';

/** How a stream is received. Everything has a default. */
export interface ReceiveOptions {
  /** Play-out delay above the fastest transit seen, milliseconds, 0 … 60,000. Default 120. */
  readonly latencyMs?: number;
  /**
   * How the media comes: datagrams, or RFC 4571 frames on a TCP connection. Default `auto`: datagrams, or TCP when the
   * sender answers and no datagram arrives for two seconds.
   */
  readonly transport?: 'auto' | 'udp' | 'tcp';
  /** Loss recovery over UDP. Default `hybrid`. */
  readonly recovery?: Recovery;
  /** Bytes of retransmission and repair for each byte of media at most, 0 … 1. Default: the sender's, 0.25. */
  readonly redundancy?: number;
  /** A frame is released when it is due (`deadline`, the default), or as soon as it can be decoded (`asap`). */
  readonly release?: 'deadline' | 'asap';
  /** After a lost reference: nothing until the next key frame (`freeze`, the default), or every complete frame. */
  readonly onLoss?: 'freeze' | 'smear';
  /** How long after its deadline a frame that others refer to is mended, milliseconds, 0 … 8,000. Default 5,000. */
  readonly mendMs?: number;
  /** Impairs this receiver's path, both ways, such as `loss=5% delay=20ms seed=1` (docs/LINK.md). Default: none. */
  readonly link?: string;
  /** Where the stream is shown. Default `none`. */
  readonly play?: PlayChoice;
  /** File to record to: FILE.h264, FILE.mp4 or FILE.ts. */
  readonly output?: string;
  /** File for a capture of this receiver's datagrams (pcap). */
  readonly capture?: string;
  /** Gives up after so long without a sender or without media, milliseconds, 1 … 86,400,000. Default 30,000. */
  readonly timeoutMs?: number;
  /** Called when a stream begins, and again when its sender restarts. */
  readonly onStream?: (stream: StreamAnnouncement) => void;
  /** Called with each frame as it is released; `decodeOnly`: too late to be shown, but later frames refer to it. */
  readonly onFrame?: (unit: AccessUnit, use: { readonly decodeOnly: boolean }) => void;
  /** Called with each frame that is dropped, and why. */
  readonly onDrop?: (event: ReceiverEvent & { readonly kind: 'dropped' }) => void;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

const PLAY_CHOICES: readonly PlayChoice[] = ['auto', 'mpv', 'ffplay', 'vlc', 'browser', 'none'];

/** A stream that is being received. */
export interface Reception {
  /** Figures so far; final once `ended` has resolved. */
  readonly summary: RunSummary;
  /** Resolves at the end of the stream or after `stop`; rejects with a `Failure` when there was no stream or it broke off. */
  readonly ended: Promise<RunSummary>;
  /** Leaves the session. */
  stop(): void;
}

/**
 * Joins the stream at `dropframe://HOST:PORT`; `HOST:PORT` and `HOST`, with port 7000, are understood as well.
 * @throws {RangeError} when the address or an option is not what it must be.
 */
export function receive(url: string, options: ReceiveOptions = {}): Reception {
  const { host, port } = addressOf(url);
  const { onStream, onFrame, onDrop, transport = 'auto', recovery = 'hybrid', play = 'none' } = options;
  const settings = {
    host,
    port,
    transport: checkChoice('transport', transport, ['auto', 'udp', 'tcp']),
    latencyMs: checkMilliseconds('latencyMs', options.latencyMs ?? 120, { min: 0, max: LATENCY_MS_MAX }),
    timeoutMs: checkMilliseconds('timeoutMs', options.timeoutMs ?? 30_000, { min: 1, max: 86_400_000 }),
    recovery: checkChoice('recovery', recovery, RECOVERIES),
    redundancy: options.redundancy === undefined ? undefined : checkShare('redundancy', options.redundancy),
    release: checkChoice('release', options.release ?? 'deadline', ['deadline', 'asap']),
    mendMs: checkMilliseconds('mendMs', options.mendMs ?? MEND_MS_DEFAULT, { min: 0, max: MEND_MS_MAX }),
    onLoss: checkChoice('onLoss', options.onLoss ?? 'freeze', ['freeze', 'smear']),
    link: options.link === undefined ? undefined : parseLink(options.link),
  } as const;
  const connect = dropframeClient(settings);
  const run = new ReceiveRun({
    ...settings,
    connect: (events) =>
      connect({
        ...events,
        onStream: (stream) => {
          events.onStream(stream);
          onStream?.(stream);
        },
        onUnit: (unit, use) => {
          events.onUnit(unit, use);
          onFrame?.(unit, use);
        },
        onDrop: (event) => {
          events.onDrop(event);
          onDrop?.(event);
        },
      }),
    ipv6: host.includes(':'),
    play: checkChoice('play', play, PLAY_CHOICES),
    pagePort: 0,
    openBrowser: true,
    output: options.output,
    capture: options.capture,
    log: lineLog(options.onLog),
  });
  const ended = run.run().then(() => run.summary);
  // Nobody has to wait for it.
  ended.catch(() => {});
  return {
    get summary() {
      return run.summary;
    },
    ended,
    stop: () => run.stop(),
  };
}

/** Port of a sender when none is named. */
const PORT_DEFAULT = 7_000;

function addressOf(url: string): HostAndPort {
  const address = parseHostAndPort(url.replace(/^dropframe:\/\//, '').replace(/\/$/, ''), PORT_DEFAULT);
  if (address === undefined || address.port === 0) {
    throw new RangeError(`'${url}': expected dropframe://HOST:PORT, or HOST or HOST:PORT`);
  }
  return address;
}
