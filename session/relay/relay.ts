import { formatAddress } from '../../io/net/host-address.ts';
import { lineLog } from '../../io/os/log.ts';
import { checkKeys, checkWhole } from '../../protocol/base/option-checks.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import type { SocketAddress } from './relay-client.ts';
import type { RelayReport } from './relay-report.ts';
import { UdpRelay } from './udp-relay.ts';

/** Options of an impaired link between UDP clients and a program. */
export interface RelayOptions {
  /** Address of the program behind the link, `HOST:PORT` or `[HOST]:PORT`. */
  readonly to: string;
  /** Address for clients to send to. Default `127.0.0.1:0`: any free port. */
  readonly listen?: string;
  /** Impairments from client to program, such as `loss=5% delay=20ms seed=1` (docs/LINK.md). */
  readonly link: string;
  /** Impairments from program to client. Default: those of `link`, with independent random draws. */
  readonly linkBack?: string;
  /** Limit of concurrent clients, each with its own links, 1 … 10,000. Default 256. */
  readonly clientsMax?: number;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

/** A running relay. */
export interface RelayService {
  /** Address for clients to send to, `HOST:PORT`. */
  readonly address: string;
  readonly port: number;
  /** Figures so far; final after `close`. */
  readonly report: RelayReport;
  close(): void;
}

/** Idle timeout of a client, milliseconds: the minimum for a UDP mapping of a NAT (RFC 4787 §4.3). */
const IDLE_MS = 120_000;
/** Limit of datagrams held by the links, bytes: two seconds at 1 Gb/s. */
const HELD_BYTES_MAX = 256_000_000;

/** Keys of `RelayOptions`, complete by its type. */
const OPTIONS = Object.keys({
  to: true,
  listen: true,
  link: true,
  linkBack: true,
  clientsMax: true,
  onLog: true,
} satisfies Record<keyof RelayOptions, true>);

/**
 * Puts a link between UDP clients and the program at `to`.
 * @throws {RangeError} when an address, a link or an option is invalid.
 * @throws {Failure} when the port is not available or the target cannot be reached.
 */
export async function relay(options: RelayOptions): Promise<RelayService> {
  checkKeys(options, OPTIONS);
  const link = parseLink(options.link);
  const relaying = await UdpRelay.open({
    listen: addressOf('listen', options.listen ?? '127.0.0.1:0'),
    to: addressOf('to', options.to),
    link,
    linkBack: options.linkBack === undefined ? link : parseLink(options.linkBack),
    clientsMax: checkWhole('clientsMax', options.clientsMax ?? 256, { min: 1, max: 10_000 }),
    idleMs: IDLE_MS,
    heldBytesMax: HELD_BYTES_MAX,
    log: lineLog(options.onLog),
  });
  const { listen } = relaying.addresses;
  return {
    address: formatAddress(listen),
    port: listen.port,
    get report() {
      return relaying.report;
    },
    close: () => relaying.close(),
  };
}

function addressOf(name: string, text: string): SocketAddress {
  const match = /^(?:\[([0-9a-f:.%a-z]+)\]|([^:[\]/]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) throw new RangeError(`${name}: expected HOST:PORT, not '${text}'`);
  return { host, port };
}
