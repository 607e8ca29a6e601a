import { createHmac } from 'node:crypto';
import { nodeCipher } from '../../../io/crypto/node-cipher.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { IncomingContext, type IncomingContextOptions } from '../../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../../protocol/srtp/outgoing-context.ts';
import { sessionMasterKeys } from '../../../protocol/srtp/srtp-keys.ts';
import { hex } from '../bytes.ts';

export const mac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(message).digest());

/** Contexts of both ends with the same keys. */
export function contexts(options: Partial<IncomingContextOptions> = {}) {
  const masterKeys = sessionMasterKeys(mac, new Uint8Array(32).fill(7), 'to-receiver');
  const common = { cipher: nodeCipher, masterKeys, ...options };
  const incoming = new IncomingContext(common);
  return {
    outgoing: new OutgoingContext(common),
    incoming,
    /** Returns a context of another path, which shares the estimate of the roll-over counter. */
    besides: () => new IncomingContext({ ...common, besides: incoming }),
  };
}

/** Contexts whose session key and salt are given, for vectors that do not begin with a master key. */
export const SSRC = 0x1234_5678;

/** An RTP packet with a frame mark, a payload of some bytes, and this sequence number. */
export const packet = (sequence: number, { ssrc = SSRC, payload = hex('0102030405') } = {}): Uint8Array =>
  serializeRtpPacket({
    marker: false,
    payloadType: 96,
    sequenceNumber: wireSequence(sequence & 0xffff),
    timestamp: wireTimestamp(90_000),
    ssrc,
    csrcs: [],
    extension: { profile: 0xbede, data: hex('16 80 12 34 00 02 00 09') },
    payload,
  });

/** A receiver report without blocks. */
export const report = (ssrc = SSRC): Uint8Array => {
  const bytes = hex('80 c9 00 02 00000000 deadbeef');
  new DataView(bytes.buffer).setUint32(4, ssrc);
  return bytes;
};
