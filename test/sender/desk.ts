import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds, ticks } from '../../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { MEDIA_SSRC, REPORT_SSRC, SENDER_OPTIONS } from '../simulated-session.ts';

export const at = (ms: number): Instant => instant(milliseconds(ms));

export const frame = (number: number, bytes = 800): AccessUnit => ({
  parts: [new Uint8Array(bytes).fill(0x41)],
  timestamp: ticks(number * 3_000),
  decodeTimestamp: ticks(number * 3_000),
  importance: number === 0 ? 'key' : 'reference',
});

/** A sender without repair packets, unless `options` ask for them. */
export const newSender = (options: Partial<typeof SENDER_OPTIONS> = {}): Sender =>
  new Sender({ ...SENDER_OPTIONS, recovery: 'nack', ...options });

export function drain(sender: Sender, now: Instant): { rtp: RtpPacket[]; rtcp: RtcpPacket[]; bytes: number } {
  const drained = { rtp: [] as RtpPacket[], rtcp: [] as RtcpPacket[], bytes: 0 };
  for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
    drained.bytes += datagram.length;
    if (classifyDatagram(datagram) === 'rtp') {
      const packet = parseRtpPacket(datagram);
      if (packet.ok) drained.rtp.push(packet.value);
    } else {
      const packets = parseRtcp(datagram);
      if (packets.ok) drained.rtcp.push(...packets.value);
    }
  }
  return drained;
}

export function events(sender: Sender): SenderEvent[] {
  const list: SenderEvent[] = [];
  for (let event = sender.pollEvent(); event; event = sender.pollEvent()) list.push(event);
  return list;
}

export const deliverRtcp = (sender: Sender, now: Instant, ...packets: RtcpPacket[]) =>
  sender.handleDatagram(now, serializeRtcp(packets));
export const nack = (...sequenceNumbers: readonly number[]): RtcpPacket => ({
  kind: 'nack',
  senderSsrc: REPORT_SSRC,
  mediaSsrc: MEDIA_SSRC,
  sequenceNumbers: sequenceNumbers.map((n) => wireSequence(n)),
});

/** A sender that has sent `count` single-packet frames, all at 0. */
export function sentFrames(count: number, options: Partial<typeof SENDER_OPTIONS> = {}): Sender {
  const sender = newSender(options);
  for (let number = 0; number < count; number++) {
    sender.send(at(0), frame(number));
    drain(sender, at(0));
  }
  return sender;
}
