import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { bracketed } from '../../io/net/control-server.ts';
import type { DatagramLengths } from '../../io/net/datagram-runs.ts';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { formatAddress } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { hexBytes } from '../../protocol/base/text-codec.ts';
import type { AddressProofMessage } from '../../protocol/control/address-proof.ts';
import { AddressVerifier } from '../../protocol/control/address-verifier.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import { PROTECTION_BYTES_MAX } from '../../protocol/srtp/srtp-packet.ts';
import { FEEDBACK_BYTES_MAX } from '../../sender/feedback-budget.ts';
import { mac } from './identifiers.ts';
import { readProof } from './proof-datagram.ts';
import type { ServerSession } from './server-session.ts';

/** Owner of an address: a path of a session. */
interface Owner {
  readonly session: ServerSession;
  readonly path: number;
}

interface Destination {
  readonly host: string;
  readonly port: number;
}

/** UDP port of a server: proves the receivers' addresses, and hands each datagram to the session of its address. */
export class MediaPort {
  readonly #sessions: ReadonlyMap<string, ServerSession>;
  readonly #byAddress = new Map<string, Owner>();
  readonly #verifier: AddressVerifier;
  #socket: DatagramSocket | undefined;
  #datagramsForeign = 0;
  /** Set while datagrams wait in the socket's queue. */
  #flushing: NodeJS.Immediate | undefined;
  #holds = false;

  /** @param sessions of the server, by identifier. */
  constructor(sessions: ReadonlyMap<string, ServerSession>) {
    this.#sessions = sessions;
    this.#verifier = new AddressVerifier({
      secret: randomBytes(32),
      mac,
      keyOf: (session) => {
        const key = this.#sessions.get(session)?.key;
        return key === undefined ? undefined : hexBytes(key);
      },
    });
  }

  /** Datagrams of no session, and proofs that were not accepted. */
  get datagramsForeign(): number {
    return this.#datagramsForeign;
  }

  /** @throws {Failure} when the port is not available. */
  async open(options: Destination): Promise<void> {
    this.#socket = await DatagramSocket.open({
      ...options,
      reusesMemory: true,
      receivedBytesMax: FEEDBACK_BYTES_MAX + PROTECTION_BYTES_MAX,
      onDatagram: (datagram, from) => this.#receive(datagram, from),
      onRefused: (datagrams, to) => {
        if (to) this.#byAddress.get(formatAddress(to))?.session.handleRefusal(datagrams);
      },
    });
  }

  close(): void {
    this.flush();
    this.#socket?.close();
  }

  /** Lets datagrams wait for `flush`, which is called in the same turn: those of a picture and of its sound leave in one call. */
  hold(): void {
    this.#holds = true;
  }

  /**
   * Sends datagrams to a receiver. With several, they leave with those for the others by `flush`, at the latest when the event
   * loop has come round once: an answer that is made in its check phase waits for the next one.
   */
  send(datagrams: readonly Uint8Array[], to: Destination, lengths: DatagramLengths | undefined, ecn: Ecn): void {
    if (this.#sessions.size < 2 && !this.#holds) return this.#socket?.send(datagrams, to, lengths, ecn);
    this.#socket?.queue(datagrams, to, lengths, ecn);
    if (!this.#holds) this.#flushing ??= setImmediate(() => this.flush());
  }

  /** Sends what waits for other datagrams. */
  flush(): void {
    if (!this.#flushing && !this.#holds) return;
    this.#holds = false;
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    this.#socket?.flush();
  }

  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  sendProbe(datagram: Uint8Array, to: Destination, onRefused: () => void): void {
    this.#socket?.sendProbe(datagram, to, onRefused);
  }

  /** Forgets that the path to this receiver refused segmented sends, as that path may have changed. */
  segmentAgain(to: Destination): void {
    this.#socket?.segmentAgain(to);
  }

  /** Forgets the address of a session by a path, or by all, which must then be proved again. */
  forgetAddress(session: ServerSession, path?: number): void {
    for (const [address, owner] of this.#byAddress) {
      if (owner.session === session && (path ?? owner.path) === owner.path) this.#byAddress.delete(address);
    }
  }

  #receive(datagram: Uint8Array, from: RemoteInfo): void {
    const address = `${bracketed(from.address)}:${from.port}`;
    const owner = this.#byAddress.get(address);
    const proof = readProof(datagram);
    if (proof) this.#handleProof(proof, from, address);
    else if (!owner) this.#datagramsForeign++;
    // Proofs are in the clear; everything else of an encrypted session is not.
    if (owner && !(proof && owner.session.encrypted)) owner.session.receive(datagram, owner.path);
  }

  #handleProof(message: AddressProofMessage, from: RemoteInfo, address: string): void {
    if (this.#sessions.get(message.session)?.allowsProof() === false) {
      this.#datagramsForeign++;
      return;
    }
    const { reply, proved } = this.#verifier.handle(now(), address, message);
    const to = { host: from.address, port: from.port };
    const session = proved === undefined ? undefined : this.#sessions.get(proved);
    // A confirmation is protected, as only a challenge is needed before both ends know the address.
    if (reply) this.#socket?.send(session?.protect([reply]) ?? [reply], to);
    else this.#datagramsForeign++;
    if (session?.transport !== 'udp') return;
    const path = pathOf(session, message);
    if (!session.paths.isAt(to, path)) {
      this.forgetAddress(session, path);
      this.#byAddress.set(address, { session, path });
    }
    session.provedAddress(to, path);
  }
}

/** Path of a proof: the first byte of its nonce, where the session has two. */
const pathOf = ({ paths }: ServerSession, { nonce }: AddressProofMessage): number =>
  paths.count > 1 ? Math.min(nonce[0]!, paths.count - 1) : 0;
