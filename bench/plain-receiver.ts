/**
 * The protocol of a receiver without the receiver: it joins, proves its address, and leaves the datagrams to its caller. Many fit
 * into one process, and it need not behave.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { connectSecure, type SecureChannel } from '../io/net/secure-channel.ts';
import { parseAddressProof, proofOf, serializeAddressProof } from '../protocol/control/address-proof.ts';
import { ControlDeframer, serializeControlFrame } from '../protocol/control/control-framing.ts';
import { parseSenderMessage, type WelcomeMessage } from '../protocol/control/control-message.ts';
import { parseRtcp, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { MediaProtection } from '../session/stream/media-protection.ts';

/** Sender to join, and how. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Address of this machine to come from; by default that of the route. */
  readonly localAddress?: string;
  /** True for TLS, with any certificate; a sender with a passphrase refuses. */
  readonly secure?: boolean;
}

/** A receiver whose address is proved. */
export interface PlainReceiver {
  readonly welcome: WelcomeMessage;
  readonly control: Socket;
  readonly media: DatagramSocket;
  send(datagram: Uint8Array): void;
}

const KEEP_ALIVE_MS = 4_000;
export const HELLO = { kind: 'hello', version: 1, latencyMs: 120, recovery: 'nack', playing: true } as const;

export const controlFrame = (message: unknown) => serializeControlFrame(Buffer.from(JSON.stringify(message)));

export const onLoopback = (port: number): Target => ({ host: '127.0.0.1', port });

/** Opens a TCP connection on which nothing is said. */
export function openConnection({ host, port, localAddress }: Target): Socket {
  const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
  socket.on('error', () => {});
  return socket;
}

/** A control connection, encrypted or not. */
export interface ControlChannel {
  readonly control: Socket;
  readonly channel: SecureChannel | undefined;
}

/** Opens a control connection. @throws {Error} when the sender closes it in the handshake. */
export async function openControl(target: Target): Promise<ControlChannel> {
  const socket = openConnection(target);
  if (!target.secure) return { control: socket, channel: undefined };
  const channel = await connectSecure(socket, undefined);
  channel.socket.on('error', () => {});
  return { control: channel.socket, channel };
}

/** Joins. @throws {Error} when the sender refuses. */
export async function join(
  target: Target,
  transport: 'udp' | 'tcp',
): Promise<ControlChannel & { readonly welcome: WelcomeMessage }> {
  const { control, channel } = await openControl(target);
  control.write(controlFrame({ ...HELLO, transport, recovery: transport === 'tcp' ? 'none' : 'nack' }));
  const deframer = new ControlDeframer();
  const welcome = await new Promise<WelcomeMessage>((resolve, reject) => {
    control.once('close', () => reject(new Error('the sender closed the control connection')));
    control.on('data', (bytes) => {
      const bodies = deframer.push(bytes);
      for (const body of bodies.ok ? bodies.value : []) {
        const message = parseSenderMessage(Buffer.from(body).toString());
        if (message.ok && message.value.kind === 'welcome') resolve(message.value);
        if (!message.ok) continue;
        if (message.value.kind === 'refused' || message.value.kind === 'goodbye')
          reject(new Error(message.value.reason));
      }
    });
  });
  const keepAlive = setInterval(() => control.write(controlFrame({ kind: 'keep-alive' })), KEEP_ALIVE_MS);
  control.once('close', () => clearInterval(keepAlive));
  return { control, channel, welcome };
}

/** Joins over UDP and proves its address. @throws {Error} when the sender refuses. */
export async function reach(target: Target): Promise<PlainReceiver> {
  const { host, port, localAddress } = target;
  const { control, channel, welcome } = await join(target, 'udp');
  const protection = channel && new MediaProtection(channel, welcome.session, 'receiver');
  const media = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  // The sender may end first.
  media.on('error', () => {});
  if (localAddress !== undefined) media.bind(0, localAddress);
  media.connect(port, host);
  await new Promise<void>((resolve) => media.once('connect', resolve));
  const nonce = randomBytes(8);
  const { session } = welcome;
  const key = Buffer.from(welcome.key, 'hex');
  const hello = serializeAddressProof({ kind: 'hello', session, nonce });
  media.send(hello);
  // A hello can be lost where hundreds join at once.
  const again = setInterval(() => media.send(hello), HELLO_MS);
  await new Promise<void>((resolve) => {
    const handle = (datagram: Uint8Array) => {
      const packets = parseRtcp(datagram);
      const packet = packets.ok ? packets.value[0] : undefined;
      const message = packet?.kind === 'application' ? parseAddressProof(packet) : undefined;
      if (!message?.ok || message.value?.kind !== 'challenge') return;
      media.off('message', handle);
      const mac = (secret: Uint8Array, text: Uint8Array) => createHmac('sha256', secret).update(text).digest();
      const proof = proofOf(mac, key, { challenge: message.value.challenge, nonce });
      media.send(serializeAddressProof({ kind: 'proof', session, nonce, proof }), () => resolve());
    };
    media.on('message', handle);
  });
  clearInterval(again);
  const send = (datagram: Uint8Array) => media.send(protection?.protect([datagram])[0] ?? datagram, () => {});
  return { welcome, control, media, send };
}

/** Reports what has arrived, as a receiver does every second: the sender serves nobody who is silent. */
export function report({ welcome, send }: PlainReceiver, reportSsrc: number, highest: number): void {
  const { ssrc } = welcome;
  const block = { ssrc, fractionLost: 0, cumulativeLost: 0, highestSequence: highest >>> 0, jitter: 0 };
  const reports = [{ ...block, lastSenderReport: 0, delaySinceLastSenderReport: 0 }];
  send(serializeRtcp([{ kind: 'receiver-report', ssrc: reportSsrc, reports }]));
}

const HELLO_MS = 500;
/** Half a second of 4 Mb/s. */
const RECEIVE_BUFFER_BYTES = 256 * 1_024;
