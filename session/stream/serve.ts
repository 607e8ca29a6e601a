import { Failure } from '../../io/os/failure.ts';
import { type Log, lineLog } from '../../io/os/log.ts';
import { followRange } from '../../io/sources/follow-range.ts';
import type { MediaDescription, MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { checkBoolean, checkChoice, checkKeys, checkNumber, checkWhole } from '../../protocol/base/option-checks.ts';
import { placeLimits, RECEIVERS_MAX } from './place-limits.ts';
import { serverSecurity } from './server-security.ts';
import { StreamServer } from './stream-server.ts';

/** Options of a stream server. Everything has a default. */
export interface ServeOptions {
  /** Address to listen on, TCP and UDP. Default 127.0.0.1: this machine only. */
  readonly host?: string;
  /** Port, 0 … 65,535. Default 0: any free port. */
  readonly port?: number;
  /** True when the source is repeated at its end. Default false. */
  readonly loop?: boolean;
  /** Limit of concurrent receivers, 1 … 10,000. Default 16. */
  readonly receiversMax?: number;
  /**
   * Limit of concurrent receivers of one IPv4 address or IPv6 /64, which may be many behind a NAT; loopback has none.
   * 1 … 10,000. Default: half of `receiversMax`, rounded up.
   */
  readonly receiversPerAddressMax?: number;
  /** File of a certificate in PEM, of which receivers know the fingerprint. Default: one of this process, or none. */
  readonly certificate?: string;
  /** File of the certificate's private key, in PEM. */
  readonly key?: string;
  /** Passphrase that receivers must know, 8 characters … 1,024 bytes. Default: none. */
  readonly passphrase?: string;
  /**
   * True to send without encryption to other machines. Default false: where `host` is not a loopback address, or there is
   * a certificate or a passphrase, control and media are encrypted.
   */
  readonly insecure?: boolean;
  /** Largest datagram, UDP payload bytes, 300 … 65,000. Default 1,200. */
  readonly datagramBytesMax?: number;
  /** `copy` the H.264 of the file, encode with `x264`, or (`auto`, the default) copy when it suits a live stream. */
  readonly encode?: 'auto' | 'copy' | 'x264';
  /** Bit rate when encoding, bits per second, 10,000 … 1,000,000,000. Default 2,000,000. */
  readonly bitrate?: number;
  /**
   * `auto` (the default): the bit rate follows what the receivers' paths carry, where the encoder can; `fixed`: it is
   * `bitrate`, with a key frame every `gop` frames.
   */
  readonly rate?: 'auto' | 'fixed';
  /** Lowest bit rate of `rate: 'auto'`, bits per second, 10,000 … 1,000,000,000. Default 100,000. */
  readonly bitrateMin?: number;
  /** Highest bit rate of `rate: 'auto'`, bits per second, `bitrateMin` … 1,000,000,000. Default 6,000,000. */
  readonly bitrateMax?: number;
  /** Key frame interval when encoding, frames, 1 … 100,000. Default 30. */
  readonly gop?: number;
  /** Frame rate of a raw `.h264` that does not state one, 1/s. Default 25. */
  readonly framesPerSecond?: number;
  /** False to leave the sound out. Default true. */
  readonly audio?: boolean;
  /** False to leave the pictures out. Default true. */
  readonly video?: boolean;
  /** Number of the sound track among those of the file, from 1, or its language, such as `eng`. Default: the first. */
  readonly audioTrack?: number | string;
  /** Path of the ffmpeg to use. Default: searched for when needed. */
  readonly ffmpeg?: string;
  /** Called with each access unit as it enters the stream. */
  readonly onFrame?: (unit: AccessUnit) => void;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

/** Totals over all receivers, including those that have left. */
export interface StreamTotals {
  readonly receivers: number;
  readonly frames: number;
  /** Media packets, without retransmissions. */
  readonly packets: number;
  /** UDP payload bytes of the media packets. */
  readonly bytes: number;
  readonly retransmissions: number;
  /** UDP payload bytes of all datagrams: media, retransmissions and repair packets. */
  readonly sentBytes: number;
  /**
   * Those of them that receivers reported as received, one by one (RFC 8888); 0 for a source that does not follow the
   * path, which asks for no such reports.
   */
  readonly deliveredBytes: number;
  /** A source that follows: mean of the bit rate that its encoder was told, bits per second; otherwise `undefined`. */
  readonly meanTarget: number | undefined;
  /** The time of that mean, seconds, without pauses; 0 for a source that does not follow. */
  readonly followedSeconds: number;
  /** Datagrams that the operating system refused to send. */
  readonly refused: number;
}

/** A running stream server. */
export interface StreamService {
  /** `dropframe://HOST:PORT`, for `receive`, with `?fingerprint=…` when receivers know the sender by it; with an external address when `host` is the unspecified one. */
  readonly url: string;
  readonly port: number;
  /** SHA-256 of the certificate, 64 hexadecimal digits; `undefined` when the stream is not encrypted. */
  readonly fingerprint: string | undefined;
  readonly description: MediaDescription;
  /** Totals over all receivers so far. */
  readonly totals: StreamTotals;
  /** Resolves when the stream has ended or its last receiver has left; rejects when the source failed. */
  readonly finished: Promise<void>;
  /** Says goodbye to the receivers, and closes sockets and source. */
  close(): Promise<void>;
}

/** Keys of `ServeOptions`, complete by its type. */
const OPTIONS = Object.keys({
  host: true,
  port: true,
  loop: true,
  receiversMax: true,
  receiversPerAddressMax: true,
  datagramBytesMax: true,
  encode: true,
  bitrate: true,
  gop: true,
  framesPerSecond: true,
  audio: true,
  audioTrack: true,
  video: true,
  ffmpeg: true,
  onFrame: true,
  onLog: true,
  bitrateMax: true,
  bitrateMin: true,
  rate: true,
  certificate: true,
  insecure: true,
  key: true,
  passphrase: true,
} satisfies Record<keyof ServeOptions, true>);

/**
 * Serves a file (any that ffmpeg reads; a raw `.h264` needs no ffmpeg), `testsrc`, or a `MediaSource` as a live stream,
 * which starts when the first receiver joins.
 * @throws {Failure} when the input cannot be streamed or the port is not available.
 * @throws {RangeError} when an option is out of its range.
 */
export async function serve(input: string | MediaSource, options: ServeOptions = {}): Promise<StreamService> {
  checkKeys(options, OPTIONS);
  const { host = '127.0.0.1', loop = false, onFrame, onLog } = options;
  checkBoolean('loop', loop);
  const port = checkWhole('port', options.port ?? 0, { min: 0, max: 65_535 });
  const receivers = { min: 1, max: RECEIVERS_MAX };
  const receiversMax = checkWhole('receiversMax', options.receiversMax ?? 16, receivers);
  const { receiversPerAddressMax } = placeLimits(receiversMax, options.receiversPerAddressMax);
  checkWhole('receiversPerAddressMax', receiversPerAddressMax, receivers);
  const datagramBytesMax = checkWhole('datagramBytesMax', options.datagramBytesMax ?? 1_200, { min: 300, max: 65_000 });
  const log = lineLog(onLog);
  const security = await serverSecurity(host, options);
  const source = typeof input === 'string' ? await openInput(input, options, log) : input;
  let settle: (error: unknown) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  // Prevents an unhandled rejection when the caller does not await `finished`.
  finished.catch(() => {});
  const server = new StreamServer({
    source,
    host,
    port,
    loop,
    datagramBytesMax,
    receiversMax,
    receiversPerAddressMax,
    ...security,
    log,
    ...(onFrame && { onUnit: onFrame }),
    onIdle: (error) => settle(error),
  });
  try {
    await server.listen();
  } catch (error) {
    await source.close();
    throw error;
  }
  return {
    url: server.urls[0]!,
    port: server.port,
    fingerprint: security.identity?.fingerprint,
    description: source.description,
    get totals() {
      return server.totals;
    },
    finished,
    close: async () => {
      await server.close('the sender was stopped');
      await source.close();
      settle(undefined);
    },
  };
}

/** Frame rates of a raw stream, as `send --fps` takes them. */
const FRAME_RATE = { min: 1, max: 1_000 };

function openInput(input: string, options: ServeOptions, log: Log): Promise<MediaSource> {
  if (input === '') throw new Failure('the name of the input is empty', 2);
  const bounds = { min: 10_000, max: 1e9 };
  const { bitrateMin, bitrateMax } = options;
  if (bitrateMin !== undefined) checkWhole('bitrateMin', bitrateMin, bounds);
  if (bitrateMax !== undefined) checkWhole('bitrateMax', bitrateMax, { ...bounds, min: bitrateMin ?? bounds.min });
  const isSilent = !checkBoolean('audio', options.audio ?? true);
  const pictures = checkBoolean('video', options.video ?? true);
  if (isSilent && !pictures) throw new Failure('neither video nor audio: nothing is left to send', 2);
  const rate = options.rate && checkChoice('rate', options.rate, ['auto', 'fixed']);
  return openMediaSource(input, {
    live: true,
    follow: followRange({ rate, bitrateMin, bitrateMax }),
    encode: checkChoice('encode', options.encode ?? 'auto', ['auto', 'copy', 'x264']),
    bitrate: checkWhole('bitrate', options.bitrate ?? 2_000_000, { min: 10_000, max: 1e9 }),
    gop: checkWhole('gop', options.gop ?? 30, { min: 1, max: 100_000 }),
    framesPerSecond:
      options.framesPerSecond === undefined
        ? undefined
        : checkNumber('framesPerSecond', options.framesPerSecond, 'frames per second', FRAME_RATE),
    sound: isSilent ? undefined : { track: options.audioTrack },
    pictures,
    inform: (message) => log.info(message),
    ffmpeg: options.ffmpeg,
    warn: (message) => log.warn(message),
  });
}
