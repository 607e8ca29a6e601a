import { readUint16, readUint32 } from '../protocol/base/big-endian.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import type { Chance } from './chance.ts';
import { mutateBytes, withByte, withNumber } from './mutate-bytes.ts';

const RTP_HEADER_BYTES = 12;
/** SSRCs of the simulated session and of a foreign stream. */
const SSRCS = [1, 2, 3, 4, 0xdead_beef] as const;
const PAYLOAD_TYPES = [96, 97, 98, 224, 225, 226, 0, 200] as const;
const RTCP_TYPES = [200, 201, 202, 203, 204, 205, 206, 207, 199, 210] as const;

/** Changes one field of an RTP or RTCP packet (RFC 3550 §5.1, §6.4) to a value that a peer could have meant. */
export function mutateDatagram(datagram: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(4) || datagram.length < 8) return mutateBytes(datagram, chance);
  return classifyDatagram(datagram) === 'rtcp' ? mutateRtcp(datagram, chance) : mutateRtp(datagram, chance);
}

function mutateRtp(datagram: Uint8Array, chance: Chance): Uint8Array {
  const step = chance.of([1, -1, 2, 30, -30, 1_000, -1_000, 0x4000, 0x8000, chance.below(0x1_0000)]);
  switch (chance.below(9)) {
    case 0:
      return withNumber(datagram, 2, { width: 2, value: (readUint16(datagram, 2) + step) & 0xffff });
    case 1:
      return withNumber(datagram, 4, { width: 4, value: (readUint32(datagram, 4) + step * 90) >>> 0 });
    case 2:
      return withNumber(datagram, 4, { width: 4, value: chance.uint32() });
    case 3:
      return withNumber(datagram, 8, { width: 4, value: chance.of(SSRCS) });
    case 4:
      return withByte(datagram, 1, chance.of(PAYLOAD_TYPES));
    case 5:
      return withByte(datagram, 0, chance.of([0x80, 0x90, 0xa0, 0xb0, 0x8f, 0x9f, 0x40, 0xc0]));
    case 6:
      // Length of the header extension, and the frame mark behind it.
      return withByte(datagram, RTP_HEADER_BYTES + chance.below(12), chance.below(256));
    case 7:
      return withNumber(datagram, RTP_HEADER_BYTES + 5, { width: 2, value: chance.below(0x1_0000) });
    default:
      return datagram.slice(0, RTP_HEADER_BYTES + chance.below(20));
  }
}

function mutateRtcp(datagram: Uint8Array, chance: Chance): Uint8Array {
  // A word of the packet: reports, feedback and notices consist of words.
  const word = chance.below(Math.ceil(datagram.length / 4)) * 4;
  switch (chance.below(7)) {
    case 0:
      return withNumber(datagram, word, { width: 4, value: chance.uint32() });
    case 1:
      return withNumber(datagram, word, { width: 4, value: chance.of([0, 1, 0x7fff_ffff, 0xffff_ffff]) });
    case 2:
      return withNumber(datagram, word, { width: 4, value: chance.of(SSRCS) });
    case 3:
      return withByte(datagram, 1, chance.of(RTCP_TYPES));
    case 4:
      return withByte(datagram, 0, 0x80 | chance.below(32));
    case 5:
      return withNumber(datagram, 2, { width: 2, value: chance.of([0, 1, 2, datagram.length / 4, 0xffff]) });
    default: {
      // Compound: the same packet again behind the first.
      const twice = new Uint8Array(2 * datagram.length);
      twice.set(datagram);
      twice.set(datagram, datagram.length);
      return twice;
    }
  }
}
