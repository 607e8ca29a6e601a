import { formatAddress } from '../../io/net/host-address.ts';
import { lineLog } from '../../io/os/log.ts';
import { checkWhole } from '../../protocol/base/option-checks.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import type { SocketAddress } from './relay-client.ts';
import type { RelayReport } from './relay-report.ts';
import { UdpRelay } from './udp-relay.ts';

/** An impaired link between two programs that speak UDP. */
export interface RelayOptions {
  /** `HOST:PORT` or `[HOST]:PORT` of the program behind the link. */
  readonly to: string;
  /** Where clients send to. Default `127.0.0.1:0`: any port that is free. */
  readonly listen?: string;
  /** The way there, such as `loss=5% delay=20ms seed=1` (docs/LINK.md). */
  readonly link: string;
  /** The way back. Default: as the way there, by draws of its own. */
  readonly linkBack?: string;
  /** Clients at the same time, each with links of its own, 1 … 10,000. Default 256. */
  readonly clientsMax?: number;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

/** A relay that runs. */
export interface RelayService {
  /** `HOST:PORT` where clients send to. */
  readonly address: string;
  readonly port: number;
  /** Figures so far; final after `close`. */
  readonly report: RelayReport;
  close(): void;
}

/** A NAT keeps a UDP mapping for at least so long (RFC 4787 §4.3). */
const IDLE_MS = 120_000;
/** Two seconds of a gigabit a second. */
const HELD_BYTES_MAX = 256_000_000;

/**
 * Puts a link between UDP clients and the program at `to`.
 * @throws {RangeError} when an address, a link or an option is not what it must be.
 * @throws {Failure} when the port cannot be had or the target cannot be reached.
 */
export async function relay(options: RelayOptions): Promise<RelayService> {
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
