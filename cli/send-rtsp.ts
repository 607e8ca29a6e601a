import { isLoopback, resolveHost } from '../io/net/host-address.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { RtspServer } from '../session/rtsp/rtsp-server.ts';
import type { LiveStream } from '../session/stream/live-stream.ts';

/** Port of RTSP servers that need no privileges, where players look. */
const RTSP_PORT = 8_554;
const LOOPBACK = '127.0.0.1';

export interface RtspCommandOptions {
  /** Address for players; `true` or `undefined` for the default, `false` for none. */
  readonly rtsp?: HostAndPort | boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly mtu: number;
  readonly receivers: number;
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
  const { rtsp = true } = options;
  if (rtsp === false || (rtsp === true && parts.isProtected)) return undefined;
  if (rtsp === true) {
    const [usual, any] = [serverAt({ host: LOOPBACK, port: RTSP_PORT }), serverAt({ host: LOOPBACK, port: 0 })];
    return (await opened(usual).catch(() => undefined)) ?? (await opened(any));
  }
  if (!options.insecure && !isLoopback(await resolveHost(rtsp.host))) {
    throw new Failure('RTSP is not encrypted: to serve other machines by --rtsp requires --insecure', 2);
  }
  if (parts.isProtected)
    parts.log.warn('players need no passphrase and no fingerprint to watch by RTSP on this machine');
  return await opened(serverAt(rtsp));

  function serverAt({ host, port }: HostAndPort): RtspServer {
    const { mtu: datagramBytesMax, receivers: receiversMax, receiversPerAddress: receiversPerAddressMax } = options;
    const limits = { datagramBytesMax, receiversMax, receiversPerAddressMax };
    return new RtspServer({ ...parts, ...limits, host, port });
  }
}

async function opened(server: RtspServer): Promise<RtspServer> {
  await server.listen();
  return server;
}
