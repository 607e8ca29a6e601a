import type { RemoteInfo } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { Failure } from '../../io/os/failure.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import type { PacketPair } from '../../protocol/rtsp/transport-header.ts';

/** Attempts to find two consecutive free ports. */
const ATTEMPTS = 20;

/** Takes the RTCP of one track of one player. */
export type FeedbackTaker = (packet: Uint8Array) => void;

/** Datagrams that try a port, and the time for the answer to each, milliseconds. */
const PROBES = 2;
const PROBED_AT_ONCE_MAX = 8;
const PROBE_MS = 500;
const PROBE = serializeRtcp([{ kind: 'receiver-report', ssrc: 0, reports: [] }]);

const nameOf = (host: string, port: number): string => `${host} ${port}`;

/**
 * The two UDP ports, of RTP and RTCP (RFC 3550 §11), from which all players are served: their number is bounded, whatever
 * players ask for. Media goes only to the address of the player's own connection, which has proved it by its handshake.
 */
export class MediaPorts {
  readonly #rtp: DatagramSocket;
  readonly #rtcp: DatagramSocket;
  readonly #takers: Map<string, FeedbackTaker>;
  #probing = 0;

  private constructor(rtp: DatagramSocket, rtcp: DatagramSocket, takers: Map<string, FeedbackTaker>) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#takers = takers;
  }

  /** @throws {Failure} when no two consecutive ports are free. */
  static async open(host: string): Promise<MediaPorts> {
    const takers = new Map<string, FeedbackTaker>();
    const take = (packet: Uint8Array, { address, port }: RemoteInfo) => {
      if (packet.length >= 8 && isRtcp(packet)) takers.get(nameOf(address, port))?.(packet);
    };
    // Datagrams of players to the RTP port only open their firewalls.
    const open = (port: number, onDatagram: typeof take) => DatagramSocket.open({ host, port, onDatagram });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const rtp = await open(0, () => {});
      const rtcp = rtp.port % 2 === 0 ? await open(rtp.port + 1, take).catch(() => undefined) : undefined;
      if (rtcp) return new MediaPorts(rtp, rtcp, takers);
      rtp.close();
    }
    throw new Failure(`cannot open two consecutive UDP ports at ${host} for RTSP`);
  }

  get pair(): PacketPair {
    return [this.#rtp.port, this.#rtcp.port];
  }

  /** Sends packets to a track's two ports. */
  send(host: string, ports: PacketPair, packets: readonly Uint8Array[]): void {
    const media = packets.filter((packet) => !isRtcp(packet));
    this.#rtp.send(media, { host, port: ports[0] });
    if (media.length < packets.length) this.#rtcp.send(packets.filter(isRtcp), { host, port: ports[1] });
  }

  /** Passes on the RTCP that comes from this address. Returns false when another track has it. */
  take(host: string, port: number, taker: FeedbackTaker): boolean {
    const name = nameOf(host, port);
    if (this.#takers.has(name)) return false;
    this.#takers.set(name, taker);
    return true;
  }

  release(host: string, port: number, taker: FeedbackTaker): void {
    const name = nameOf(host, port);
    if (this.#takers.get(name) === taker) this.#takers.delete(name);
  }

  /**
   * Finds out whether nobody listens on a player's port for RTP, from a socket that is connected to it: the kernel reports
   * ICMP errors only to such. It sends an empty receiver report, which players ignore there.
   * @returns false where that cannot be told, as behind a NAT; `undefined` when it is not tried now, as many others are.
   */
  async isClosed(host: string, port: number): Promise<boolean | undefined> {
    if (this.#probing >= PROBED_AT_ONCE_MAX) return undefined;
    this.#probing++;
    let isRefused = false;
    let socket: DatagramSocket | undefined;
    try {
      socket = await DatagramSocket.open({
        ...{ host: isLoopback(host) ? host : anyAddressLike(host), port: 0, peer: { host, port } },
        onDatagram: () => {},
        onError: (error) => {
          isRefused ||= (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        },
      });
      for (let attempt = 0; attempt < PROBES && !isRefused; attempt++) {
        socket.send([PROBE]);
        await pause(PROBE_MS);
      }
    } catch {
      // No descriptor is left, or no route: nothing is known.
    } finally {
      socket?.close();
      this.#probing--;
    }
    return isRefused;
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}
