import { isRtcp } from '../protocol/rtp/multiplex.ts';
import type { DatagramProtection } from '../protocol/srtp/protected-endpoint.ts';
import { TAG_BYTES } from '../protocol/srtp/srtp-cipher.ts';
import { SRTCP_INDEX_BYTES } from '../protocol/srtp/srtp-packet.ts';

const bytesOf = (datagram: Uint8Array): number => (isRtcp(datagram) ? TAG_BYTES + SRTCP_INDEX_BYTES : TAG_BYTES);

/**
 * The bytes of SRTP and SRTCP, without their content: a link and the meters of the laboratory see the lengths of an
 * encrypted stream, and the packet tables can read it.
 */
export const protectionBytes: DatagramProtection = {
  protect: (datagram) => {
    const longer = new Uint8Array(datagram.length + bytesOf(datagram));
    longer.set(datagram);
    return longer;
  },
  unprotect: (datagram) => {
    const end = datagram.length - bytesOf(datagram);
    return end > 0 ? datagram.subarray(0, end) : undefined;
  },
};
