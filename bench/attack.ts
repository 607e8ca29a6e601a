/**
 * A joined receiver that does all it can to starve the others: `attack PORT KIND`, until SIGINT. Prints `ready` when its
 * address is proved or its first connection is open.
 */
import { getPriority, setPriority } from 'node:os';
import { argv, exit, stdout } from 'node:process';
import { type RtcpPacket, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../protocol/rtp/sequence.ts';
import { controlFrame, HELLO, join, openControl, reach } from './plain-receiver.ts';

// The generator must not take the cores from those that are measured, nor be kept from them by other work on the machine.
setPriority(Math.min(19, getPriority() + 8));
const [, , portText = '', kind = ''] = argv;
const port = Number(portText);
const REPORT_SSRC = 0x5ca1ab1e;
/** Bit rate of the attacker, bits per second. */
const RATE = 20e6;
const TICK_MS = 5;

/** Repeats something as often as `RATE` allows. */
function flood(bytesEach: number, send: () => void): void {
  const each = Math.max(1, Math.round((RATE * TICK_MS) / 8_000 / bytesEach));
  setInterval(() => {
    for (let count = 0; count < each; count++) send();
  }, TICK_MS);
}

async function feedback(packet: (mediaSsrc: number) => RtcpPacket): Promise<void> {
  const { welcome, send } = await reach(port);
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
    const message = controlFrame({ kind: 'statistics', ...counts, ...delays, padding: 'x'.repeat(60_000) });
    const again = async () => {
      const { control } = await join(port, 'udp');
      const timer = setInterval(() => control.write(message), (message.length * 8_000) / RATE);
      control.once('close', () => {
        clearInterval(timer);
        setTimeout(() => void again(), 5);
      });
    };
    await again();
  },
  attach: async () => {
    const { welcome } = await join(port, 'tcp');
    const attach = controlFrame({ kind: 'attach', session: welcome.session, key: welcome.key });
    setInterval(() => {
      for (let count = 0; count < 10; count++) openControl(port).write(attach);
    }, TICK_MS);
  },
  join: async () => {
    setInterval(() => {
      for (let count = 0; count < 10; count++) openControl(port).write(controlFrame({ ...HELLO, transport: 'udp' }));
    }, TICK_MS);
  },
};

process.once('SIGINT', () => exit(0));
await ATTACKS[kind]!();
stdout.write('ready\n');
setInterval(() => {}, 1_000);
