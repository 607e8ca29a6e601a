import { type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { controlFrame, join, reach } from '../plain-receiver.ts';
import { flood, RATE, type Storm } from './storm-target.ts';

const REPORT_SSRC = 0x5ca1ab1e;
const numbers = (length: number) => Array.from({ length }, (_, index) => wireSequence(index));

/** Joins once from each address, and sends one packet of feedback again and again. */
async function feedback({ target, next, count }: Storm, packet: (mediaSsrc: number) => RtcpPacket): Promise<void> {
  const joined = await Promise.all(target.addresses.map(() => reach(next())));
  const datagrams = joined.map(({ welcome }) => serializeRtcp([packet(welcome.ssrc)]));
  let turn = 0;
  flood(datagrams[0]!.length, () => {
    const which = turn++ % joined.length;
    joined[which]!.send(datagrams[which]!);
    count();
  });
}

const nack = (storm: Storm, lost: number) =>
  feedback(storm, (mediaSsrc) => ({
    kind: 'nack',
    senderSsrc: REPORT_SSRC,
    mediaSsrc,
    sequenceNumbers: numbers(lost),
  }));

/** Joined receivers that ask for more than they need. */
export const FEEDBACK_STORMS: Readonly<Record<string, (storm: Storm) => Promise<void>>> = {
  // Fifteen thousand entries with all bits of their masks.
  nack: (storm) => nack(storm, 255_000),
  'short nack': (storm) => nack(storm, 6_000),
  pli: (storm) =>
    feedback(storm, (mediaSsrc) => ({ kind: 'picture-loss-indication', senderSsrc: REPORT_SSRC, mediaSsrc })),
  statistics: async ({ next, count }) => {
    const counts = { frames: 1, framesLost: 1, framesLate: 1, packets: 1, packetsLost: 1, packetsRecovered: 1 };
    const delays = { delayMsP50: null, delayMsP95: null, roundTripMs: null };
    const message = controlFrame({ kind: 'statistics', ...counts, ...delays, padding: 'x'.repeat(60_000) });
    const again = async () => {
      const { control } = await join(next(), 'udp');
      const send = () => {
        control.write(message);
        count();
      };
      const timer = setInterval(send, (message.length * 8_000) / RATE);
      control.once('close', () => {
        clearInterval(timer);
        setTimeout(() => void again().catch(() => {}), 5);
      });
    };
    await again();
  },
};
