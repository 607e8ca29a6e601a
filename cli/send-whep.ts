import type { Identity } from '../io/crypto/identity.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { selfMadeText } from '../io/web-server/page-invitation.ts';
import { NATIVE_PACKAGE } from '../io/webrtc/native-library.ts';
import type { HistoryBudget } from '../sender/history-budget.ts';
import type { LiveStream } from '../session/stream/live-stream.ts';
import { type SecurityChoice, serverSecurity } from '../session/stream/server-security.ts';
import { browserNeeds } from '../session/whep/browser-needs.ts';
import { WhepServer } from '../session/whep/whep-server.ts';
import { firstLineOf } from './encryption-options.ts';
import { opened, openedUnasked } from './open-player-server.ts';

/** Port of WHEP servers that need no privileges, by the custom of MediaMTX. */
const WHEP_PORT = 8_889;
/** Characters of a bearer token (RFC 6750 §2.1), and its shortest length. */
const TOKEN = /^[\w.~+/-]{8,1024}=*$/;

export interface WhepCommandOptions extends SecurityChoice {
  /** Address for browsers; `true` or `undefined` for the default, `false` for none. */
  readonly whep?: HostAndPort | boolean | undefined;
  /** File with the token that players must bring. */
  readonly whepTokenFile?: string | undefined;
  readonly mtu: number;
  readonly maxReceivers: number;
  readonly receiversPerAddress?: number | undefined;
  readonly ffmpeg?: string | undefined;
  /** Bit rate of pictures that are encoded for browsers, bits per second. */
  readonly bitrate: number;
}

export interface WhepParts {
  readonly live: LiveStream;
  readonly source: MediaSource;
  readonly historyBudget: HistoryBudget;
  /** True when receivers need a passphrase or a fingerprint. */
  readonly isProtected: boolean;
  readonly log: Log;
}

/**
 * Offers a stream to browsers by WHEP. Without an address: on loopback, at a free port where the usual one is taken, and
 * only where the stream is not protected, the package for WebRTC is installed, and browsers can show the stream.
 * @throws {Failure} when the address is not available, or may not be used.
 */
export async function openWhep(options: WhepCommandOptions, parts: WhepParts): Promise<WhepServer | undefined> {
  const { whep = true, whepTokenFile } = options;
  if (whep === false || (whep === true && parts.isProtected)) {
    if (whepTokenFile !== undefined) throw new Failure('--whep-token-file requires --whep', 2);
    return undefined;
  }
  const token = whepTokenFile === undefined ? undefined : readToken(whepTokenFile);
  if (!WhepServer.isAvailable) {
    const missing = `the optional package is missing: npm install ${NATIVE_PACKAGE}`;
    if (whep !== true) throw new Failure(`--whep: ${missing}`, 3);
    parts.log.info(`not served to browsers: ${missing}`);
    return undefined;
  }
  if (whep === true) return await openedUnasked(serverAt, { port: WHEP_PORT, protocol: 'WHEP', log: parts.log });
  if (options.passphrase !== undefined && token === undefined) {
    throw new Failure(
      'a passphrase protects the stream, which WHEP does not know: --whep requires --whep-token-file',
      2,
    );
  }
  const { identity } = await serverSecurity(whep.host, options, { forBrowsers: true });
  return await opened(serverAt(whep, identity));

  function serverAt({ host, port }: HostAndPort, identity?: Identity): WhepServer {
    const { mtu: datagramBytesMax, maxReceivers: receiversMax, receiversPerAddress: receiversPerAddressMax } = options;
    const { ffmpeg, bitrate } = options;
    const limits = { datagramBytesMax, receiversMax, receiversPerAddressMax };
    return new WhepServer({ ...parts, ...limits, host, port, token, identity, ffmpeg, bitrate });
  }
}

/** Prints where browsers find the stream, and the fingerprint of a certificate that was made for this run. */
export function announceWhep(
  { urls, fingerprint }: Pick<WhepServer, 'urls' | 'fingerprint'>,
  { certificate }: Pick<WhepCommandOptions, 'certificate'>,
  { source, log }: Pick<WhepParts, 'source' | 'log'>,
): void {
  log.info(`for browsers (WHEP): ${urls.join(' or ')}${encodedText(source)}`);
  if (fingerprint !== undefined && certificate === undefined) log.info(selfMadeText(fingerprint));
}

/** Names what is encoded for browsers; empty when nothing is. */
function encodedText(source: MediaSource): string {
  const { pictures, sound } = browserNeeds(source);
  const parts = [...(pictures === undefined ? [] : [pictures]), ...(sound === undefined ? [] : [sound])];
  // Set apart from the URL, which is copied from the line.
  return parts.length > 0 ? ` (${parts.join(' and ')} encoded anew for them, while they watch)` : '';
}

/** Reads a token from the first line of a file. @throws {Failure} when there is none. */
function readToken(file: string): string {
  const token = firstLineOf(file, 'the token');
  if (TOKEN.test(token)) return token;
  throw new Failure(`${file}: expected a token of at least 8 letters, digits and - . _ ~ + / in the first line`, 2);
}
