import { createHmac } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import {
  type AddressProofMessage,
  type Mac,
  parseAddressProof,
  proofOf,
  serializeAddressProof,
} from '../../protocol/control/address-proof.ts';
import type { WelcomeMessage } from '../../protocol/control/control-message.ts';
import { parseRtcp } from '../../protocol/rtcp/rtcp.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { frame, HELLO, Peer, until } from '../io/net/control-peers.ts';

const mac: Mac = (key, message) => createHmac('sha256', key).update(message).digest();

/** A UDP socket controlled by the test, and everything it has received. */
export class DatagramPeer {
  readonly received: Buffer[] = [];
  sentBytes = 0;
  readonly #socket: Socket;
  readonly #to: number;

  /** @param to destination port. */
  static async to(to: number): Promise<DatagramPeer> {
    const peer = new DatagramPeer(createSocket('udp4'), to);
    await new Promise<void>((resolve) => peer.#socket.bind(0, '127.0.0.1', resolve));
    return peer;
  }

  private constructor(socket: Socket, to: number) {
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (datagram) => this.received.push(datagram));
    onTestFinished(() => void socket.close());
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get receivedBytes(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0);
  }

  /** Number of media datagrams received. */
  get media(): number {
    return this.received.filter((datagram) => {
      const packet = parseRtpPacket(datagram);
      return packet.ok && packet.value.payloadType === 96;
    }).length;
  }

  get proofs(): AddressProofMessage[] {
    return this.received.flatMap((datagram) => {
      const packets = parseRtcp(datagram);
      const packet = packets.ok ? packets.value[0] : undefined;
      const message = packet?.kind === 'application' ? parseAddressProof(packet) : undefined;
      return message?.ok && message.value ? [message.value] : [];
    });
  }

  async send(datagram: Uint8Array, to = this.#to): Promise<void> {
    this.sentBytes += datagram.length;
    await new Promise<void>((resolve) => this.#socket.send(datagram, to, '127.0.0.1', () => resolve()));
  }

  /** Sends hello for a session and waits for the challenge. */
  async challenged({ session }: WelcomeMessage, nonce: Uint8Array): Promise<Uint8Array> {
    await this.send(serializeAddressProof({ kind: 'hello', session, nonce }));
    await until('the challenge has arrived', () => this.proofs.some(({ kind }) => kind === 'challenge'));
    const message = this.proofs.findLast(({ kind }) => kind === 'challenge');
    return message?.kind === 'challenge' ? message.challenge : new Uint8Array(0);
  }
}

/** Builds a proof that its sender holds the key and has received the challenge. */
export const proof = (
  { session }: WelcomeMessage,
  key: string,
  { challenge, nonce }: { challenge: Uint8Array; nonce: Uint8Array },
): Uint8Array =>
  serializeAddressProof({
    kind: 'proof',
    session,
    nonce,
    proof: Uint8Array.from(proofOf(mac, Buffer.from(key, 'hex'), { challenge, nonce })),
  });

/** Joins on the control channel and does nothing more. */
export async function joined(port: number): Promise<{ control: Peer; welcome: WelcomeMessage }> {
  const control = await Peer.to(port);
  control.socket.write(frame(HELLO));
  await until('the welcome has arrived', () => control.received.length > 0);
  return { control, welcome: control.received[0] as WelcomeMessage };
}
