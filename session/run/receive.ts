import { readFingerprint } from '../../io/crypto/fingerprint.ts';
import { addressAndQuery, type HostAndPort, parseHostAndPort } from '../../io/net/host-and-port.ts';
import { lineLog } from '../../io/os/log.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { checkChoice, checkKeys, checkMilliseconds, checkShare } from '../../protocol/base/option-checks.ts';
import { LATENCY_MS_MAX, MEND_MS_DEFAULT, MEND_MS_MAX } from '../../protocol/control/latency-limit.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import type { TwoPathUse } from '../../protocol/control/two-path-use.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import type { StreamAnnouncement } from '../stream/client.ts';
import { dropframeClient } from '../stream/dropframe-client.ts';
import { checkSecondPath, type UsedSecondPath } from '../stream/second-path.ts';
import { checkPassphrase } from '../stream/server-security.ts';
import { ReceiveRun } from './receive-run.ts';
import type { RunSummary } from './run-summary.ts';
import type { PlayChoice } from './viewer.ts';

/** Options of a reception. Everything has a default. */
export interface ReceiveOptions {
  /** Play-out delay above the fastest transit seen, milliseconds, 0 … 60,000. Default 120. */
  readonly latencyMs?: number;
  /**
   * Media transport: UDP datagrams, or RFC 4571 frames on a TCP connection. Default `auto`: UDP, or TCP when the sender
   * answers and no datagram arrives for two seconds.
   */
  readonly transport?: 'auto' | 'udp' | 'tcp';
  /** Loss recovery over UDP. Default `hybrid`. */
  readonly recovery?: Recovery;
  /** Limit of retransmission and repair bytes per byte of media, 0 … 1. Default: the sender's, 0.25. */
  readonly redundancy?: number;
  /** Release of a frame: at its deadline (`deadline`, the default), or as soon as it can be decoded (`asap`). */
  readonly release?: 'deadline' | 'asap';
  /** Release after a lost reference: none before a key frame (`freeze`, the default), or complete frames (`smear`). */
  readonly onLoss?: 'freeze' | 'smear';
  /** Time after its deadline in which a reference frame is still repaired, milliseconds, 0 … 8,000. Default 5,000. */
  readonly mendMs?: number;
  /**
   * SHA-256 of the sender's certificate, 64 hexadecimal digits; also in the URL (`?fingerprint=…`). With it, or with a
   * passphrase, the stream is encrypted, and only this sender's. Default: none.
   */
  readonly fingerprint?: string;
  /** Passphrase that the sender knows, 8 characters … 1,024 bytes. Default: none. */
  readonly passphrase?: string;
  /** Impairments of this receiver's path, both ways: `loss=5% delay=20ms seed=1` (docs/LINK.md). Default: none. */
  readonly link?: string;
  /**
   * A second path to the sender, over UDP: an address of this machine from which it leads there, and its use: everything by
   * both, each packet by one, or by one with repair packets against the failure of a path (`coded`, the default), and its
   * impairments. Default: one path.
   */
  readonly secondPath?: {
    readonly from: string;
    readonly use?: TwoPathUse;
    readonly link?: string;
  };
  /** Player for the stream. Default `none`. */
  readonly play?: PlayChoice;
  /** File to record to: FILE.mp4, FILE.mkv, FILE.ts, FILE.h264 or FILE.h265. */
  readonly output?: string;
  /** File for a capture of this receiver's datagrams (pcap). */
  readonly capture?: string;
  /** Time limit without a sender or without media, milliseconds, 1 … 86,400,000. Default 30,000. */
  readonly timeoutMs?: number;
  /** Called when a stream begins, and again when its sender restarts. */
  readonly onStream?: (stream: StreamAnnouncement) => void;
  /** Called with each frame as it is released; `decodeOnly`: needed by later frames, not shown. */
  readonly onFrame?: (unit: AccessUnit, use: { readonly decodeOnly: boolean }) => void;
  /** Called with each dropped frame and the reason. */
  readonly onDrop?: (event: ReceiverEvent & { readonly kind: 'dropped' }) => void;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

const PLAY_CHOICES: readonly PlayChoice[] = ['auto', 'mpv', 'ffplay', 'vlc', 'browser', 'none'];

/** A running reception. */
export interface Reception {
  /** Figures so far; final once `ended` has resolved. */
  readonly summary: RunSummary;
  /** Resolves at the end of the stream or after `stop`; rejects with a `Failure` when it did not start or broke off. */
  readonly ended: Promise<RunSummary>;
  /** Leaves the session. */
  stop(): void;
}

/** Keys of `ReceiveOptions`, complete by its type. */
const OPTIONS = Object.keys({
  latencyMs: true,
  transport: true,
  recovery: true,
  redundancy: true,
  release: true,
  onLoss: true,
  mendMs: true,
  link: true,
  secondPath: true,
  play: true,
  output: true,
  capture: true,
  timeoutMs: true,
  onStream: true,
  onFrame: true,
  onDrop: true,
  onLog: true,
  fingerprint: true,
  passphrase: true,
} satisfies Record<keyof ReceiveOptions, true>);

/**
 * Joins the stream at `dropframe://HOST:PORT`, optionally with `?fingerprint=…`; also accepts `HOST:PORT`, and `HOST` with port 7000.
 * @throws {RangeError} when the address or an option is invalid.
 */
export function receive(url: string, options: ReceiveOptions = {}): Reception {
  checkKeys(options, OPTIONS);
  const { host, port, fingerprint = options.fingerprint } = addressOf(url);
  const { onStream, onFrame, onDrop, transport = 'auto', recovery = 'hybrid', play = 'none' } = options;
  const settings = {
    host,
    port,
    fingerprint: fingerprint === undefined ? undefined : checkFingerprint(fingerprint),
    passphrase: options.passphrase === undefined ? undefined : checkPassphrase(options.passphrase),
    transport: checkChoice('transport', transport, ['auto', 'udp', 'tcp']),
    latencyMs: checkMilliseconds('latencyMs', options.latencyMs ?? 120, { min: 0, max: LATENCY_MS_MAX }),
    timeoutMs: checkMilliseconds('timeoutMs', options.timeoutMs ?? 30_000, { min: 1, max: 86_400_000 }),
    recovery: checkChoice('recovery', recovery, RECOVERIES),
    redundancy: options.redundancy === undefined ? undefined : checkShare('redundancy', options.redundancy),
    release: checkChoice('release', options.release ?? 'deadline', ['deadline', 'asap']),
    mendMs: checkMilliseconds('mendMs', options.mendMs ?? MEND_MS_DEFAULT, { min: 0, max: MEND_MS_MAX }),
    onLoss: checkChoice('onLoss', options.onLoss ?? 'freeze', ['freeze', 'smear']),
    records: options.output !== undefined,
    link: options.link === undefined ? undefined : parseLink(options.link),
    second: options.secondPath && secondPathOf(options.secondPath, transport),
  } as const;
  const connect = dropframeClient(settings);
  const run = new ReceiveRun({
    ...settings,
    connect: (events) =>
      connect({
        ...events,
        onStream: (stream, onPath) => {
          events.onStream(stream, onPath);
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
  // Prevents an unhandled rejection when the caller does not await `ended`.
  ended.catch(() => {});
  return {
    get summary() {
      return run.summary;
    },
    ended,
    stop: () => run.stop(),
  };
}

/** Default port of a sender. */
const PORT_DEFAULT = 7_000;

function addressOf(url: string): HostAndPort & { readonly fingerprint?: string } {
  const [place, query] = addressAndQuery(url.replace(/^dropframe:\/\//, ''));
  const address = parseHostAndPort(place.replace(/\/$/, ''), PORT_DEFAULT);
  if (address === undefined || address.port === 0) {
    throw new RangeError(`'${url}': expected dropframe://HOST:PORT, or HOST or HOST:PORT`);
  }
  const fingerprint = new URLSearchParams(query).get('fingerprint');
  return fingerprint === null ? address : { ...address, fingerprint };
}

function checkFingerprint(text: string): string {
  const fingerprint = readFingerprint(text);
  if (fingerprint === undefined) throw new RangeError(`fingerprint '${text}': expected 64 hexadecimal digits`);
  return fingerprint;
}

function secondPathOf(given: NonNullable<ReceiveOptions['secondPath']>, transport: string): UsedSecondPath {
  checkKeys(given, ['from', 'use', 'link']);
  const { from, use = 'coded', link } = given;
  const path = { from, use, link: link === undefined ? undefined : parseLink(link) };
  return checkSecondPath(path, transport, {
    from: 'secondPath.from',
    use: 'secondPath.use',
    transport: "transport: 'tcp'",
  });
}
