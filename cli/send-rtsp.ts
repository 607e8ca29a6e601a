import type { Identity } from '../io/crypto/identity.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { Credentials } from '../protocol/rtsp/digest.ts';
import { RtspServer } from '../session/rtsp/rtsp-server.ts';
import type { LiveStream } from '../session/stream/live-stream.ts';
import { type SecurityChoice, serverSecurity } from '../session/stream/server-security.ts';
import { firstLineOf } from './encryption-options.ts';
import { opened, openedUnasked } from './open-player-server.ts';

/** Port of RTSP servers that need no privileges, where players look. */
const RTSP_PORT = 8_554;

export interface RtspCommandOptions extends SecurityChoice {
  /** Address for players; `true` or `undefined` for the default, `false` for none. */
  readonly rtsp?: HostAndPort | boolean | undefined;
  /** File with the name and the password that players must know. */
  readonly rtspLoginFile?: string | undefined;
  readonly mtu: number;
  readonly maxReceivers: number;
  readonly receiversPerAddress?: number | undefined;
}

export interface RtspParts {
  readonly live: LiveStream;
  readonly source: MediaSource;
  /** True when receivers need a passphrase or a fingerprint. */
  readonly isProtected: boolean;
  readonly log: Log;
}

/**
 * Offers a stream to players by RTSP. Without an address: on loopback, at a free port where the usual one is taken, and
 * only where the stream is not protected.
 * @throws {Failure} when the address is not available, or may not be used.
 */
export async function openRtsp(options: RtspCommandOptions, parts: RtspParts): Promise<RtspServer | undefined> {
  const { rtsp = true, rtspLoginFile } = options;
  if (rtsp === false || (rtsp === true && parts.isProtected)) {
    if (rtspLoginFile !== undefined) throw new Failure('--rtsp-login-file requires --rtsp', 2);
    return undefined;
  }
  const credentials = rtspLoginFile === undefined ? undefined : readLogin(rtspLoginFile);
  // Nobody has asked for it, so that a machine without it still sends.
  if (rtsp === true) return await openedUnasked(serverAt, { port: RTSP_PORT, protocol: 'RTSP', log: parts.log });
  if (options.passphrase !== undefined && !credentials) {
    throw new Failure(
      'a passphrase protects the stream, which RTSP does not know: --rtsp requires --rtsp-login-file',
      2,
    );
  }
  const { identity } = await serverSecurity(rtsp.host, options);
  return await opened(serverAt(rtsp, identity));

  function serverAt({ host, port }: HostAndPort, identity?: Identity): RtspServer {
    const { mtu: datagramBytesMax, maxReceivers: receiversMax, receiversPerAddress: receiversPerAddressMax } = options;
    const limits = { datagramBytesMax, receiversMax, receiversPerAddressMax };
    return new RtspServer({ ...parts, ...limits, host, port, credentials, identity });
  }
}

/** Reads `NAME:PASSWORD` from the first line of a file. @throws {Failure} when there is none. */
function readLogin(file: string): Credentials {
  const [user = '', ...password] = firstLineOf(file, 'the login').split(':');
  if (user !== '' && password.join(':') !== '') return { user, password: password.join(':') };
  throw new Failure(`${file}: expected NAME:PASSWORD in the first line`, 2);
}
