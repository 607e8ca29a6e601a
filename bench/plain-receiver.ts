/**
 * The protocol of a receiver without the receiver: it joins, proves its address, and leaves the datagrams to its caller. Many fit
 * into one process, and it need not behave.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { parseAddressProof, proofOf, serializeAddressProof } from '../protocol/control/address-proof.ts';
import { ControlDeframer, serializeControlFrame } from '../protocol/control/control-framing.ts';
import { parseSenderMessage, type WelcomeMessage } from '../protocol/control/control-message.ts';
import { parseRtcp, serializeRtcp } from '../protocol/rtcp/rtcp.ts';

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

export function openControl(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** Joins. @throws {Error} when the sender refuses. */
export async function join(
  port: number,
  transport: 'udp' | 'tcp',
): Promise<{ readonly control: Socket; readonly welcome: WelcomeMessage }> {
  const control = openControl(port);
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
  return { control, welcome };
}

/** Joins over UDP and proves its address. @throws {Error} when the sender refuses. */
export async function reach(port: number): Promise<PlainReceiver> {
  const { control, welcome } = await join(port, 'udp');
  const media = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  // The sender may end first.
  media.on('error', () => {});
  media.connect(port, '127.0.0.1');
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
  return { welcome, control, media, send: (datagram) => media.send(datagram, () => {}) };
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
