/**
 * A joined receiver that does all it can to starve the others: `attack PORT KIND`, until SIGINT. Prints `ready` when its
 * address is proved or its first connection is open.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { getPriority, setPriority } from 'node:os';
import { argv, exit, stdout } from 'node:process';
import { parseAddressProof, proofOf, serializeAddressProof } from '../protocol/control/address-proof.ts';
import { ControlDeframer, serializeControlFrame } from '../protocol/control/control-framing.ts';
import { parseSenderMessage, type WelcomeMessage } from '../protocol/control/control-message.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../protocol/rtp/sequence.ts';

// The generator must not take the cores from those that are measured, nor be kept from them by other work on the machine.
setPriority(Math.min(19, getPriority() + 8));
const [, , portText = '', kind = ''] = argv;
const port = Number(portText);
const REPORT_SSRC = 0x5ca1ab1e;
/** Bit rate of the attacker, bits per second. */
const RATE = 20e6;
const TICK_MS = 5;

const frame = (message: unknown) => serializeControlFrame(Buffer.from(JSON.stringify(message)));
const HELLO = { kind: 'hello', version: 1, latencyMs: 120, recovery: 'nack', playing: true } as const;

function open(): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** Joins and returns the sender's messages. */
async function join(transport: 'udp' | 'tcp'): Promise<{ control: Socket; welcome: WelcomeMessage }> {
  const control = open();
  control.write(frame({ ...HELLO, transport, recovery: transport === 'tcp' ? 'none' : 'nack' }));
  const deframer = new ControlDeframer();
  const welcome = await new Promise<WelcomeMessage>((resolve) => {
    control.on('data', (bytes) => {
      const bodies = deframer.push(bytes);
      for (const body of bodies.ok ? bodies.value : []) {
        const message = parseSenderMessage(Buffer.from(body).toString());
        if (message.ok && message.value.kind === 'welcome') resolve(message.value);
      }
    });
  });
  setInterval(() => control.write(frame({ kind: 'keep-alive' })), 4_000);
  return { control, welcome };
}

/** Joins over UDP, proves its address, and returns how to send datagrams. */
async function reached(): Promise<{ welcome: WelcomeMessage; control: Socket; send: (datagram: Uint8Array) => void }> {
  const { control, welcome } = await join('udp');
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const nonce = randomBytes(8);
  const { session } = welcome;
  const key = Buffer.from(welcome.key, 'hex');
  socket.send(serializeAddressProof({ kind: 'hello', session, nonce }));
  await new Promise<void>((resolve) => {
    socket.on('message', (datagram) => {
      const packets = parseRtcp(datagram);
      const packet = packets.ok ? packets.value[0] : undefined;
      const message = packet?.kind === 'application' ? parseAddressProof(packet) : undefined;
      if (!message?.ok || message.value?.kind !== 'challenge') return;
      const mac = (secret: Uint8Array, text: Uint8Array) => createHmac('sha256', secret).update(text).digest();
      const proof = proofOf(mac, key, { challenge: message.value.challenge, nonce });
      socket.send(serializeAddressProof({ kind: 'proof', session, nonce, proof }), () => resolve());
    });
  });
  return { welcome, control, send: (datagram) => socket.send(datagram, () => {}) };
}

/** Repeats something as often as `RATE` allows. */
function flood(bytesEach: number, send: () => void): void {
  const each = Math.max(1, Math.round((RATE * TICK_MS) / 8_000 / bytesEach));
  setInterval(() => {
    for (let count = 0; count < each; count++) send();
  }, TICK_MS);
}

async function feedback(packet: (mediaSsrc: number) => RtcpPacket): Promise<void> {
  const { welcome, send } = await reached();
  const datagram = serializeRtcp([packet(welcome.ssrc)]);
  flood(datagram.length, () => send(datagram));
}

const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  none: async () => {},
  nack: () =>
    feedback((mediaSsrc) => ({
      kind: 'nack',
      senderSsrc: REPORT_SSRC,
      mediaSsrc,
      // Fifteen thousand entries with all bits of their masks.
      sequenceNumbers: Array.from({ length: 255_000 }, (_, index) => wireSequence(index)),
    })),
  'short nack': () =>
    feedback((mediaSsrc) => ({
      kind: 'nack',
      senderSsrc: REPORT_SSRC,
      mediaSsrc,
      sequenceNumbers: Array.from({ length: 6_000 }, (_, index) => wireSequence(index)),
    })),
  pli: () => feedback((mediaSsrc) => ({ kind: 'picture-loss-indication', senderSsrc: REPORT_SSRC, mediaSsrc })),
  statistics: async () => {
    const counts = { frames: 1, framesLost: 1, framesLate: 1, packets: 1, packetsLost: 1, packetsRecovered: 1 };
    const delays = { delayMsP50: null, delayMsP95: null, roundTripMs: null };
    const message = frame({ kind: 'statistics', ...counts, ...delays, padding: 'x'.repeat(60_000) });
    const again = async () => {
      const { control } = await join('udp');
      const timer = setInterval(() => control.write(message), (message.length * 8_000) / RATE);
      control.once('close', () => {
        clearInterval(timer);
        setTimeout(() => void again(), 5);
      });
    };
    await again();
  },
  attach: async () => {
    const { welcome } = await join('tcp');
    const attach = frame({ kind: 'attach', session: welcome.session, key: welcome.key });
    setInterval(() => {
      for (let count = 0; count < 10; count++) open().write(attach);
    }, TICK_MS);
  },
  join: async () => {
    setInterval(() => {
      for (let count = 0; count < 10; count++) open().write(frame({ ...HELLO, transport: 'udp' }));
    }, TICK_MS);
  },
};

process.once('SIGINT', () => exit(0));
await ATTACKS[kind]!();
stdout.write('ready\n');
setInterval(() => {}, 1_000);
