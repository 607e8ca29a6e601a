/**
 * Classifies a datagram on a port shared by RTP and RTCP by its first two bytes (RFC 5761 §4). The second byte of RTCP
 * is its packet type, 192…223; RTP avoids these values by not using payload types 64…95. `foreign`: neither. The rest
 * of the datagram is not validated.
 */
export function classifyDatagram(datagram: Uint8Array): 'rtp' | 'rtcp' | 'foreign' {
  if (datagram.length < RTCP_BYTES_MIN || datagram[0]! >> 6 !== 2) return 'foreign';
  if (isRtcp(datagram)) return 'rtcp';
  return datagram.length < RTP_BYTES_MIN ? 'foreign' : 'rtp';
}

/**
 * True for RTCP on a port shared with RTP, by its second byte alone (RFC 5761 §4). For datagrams of one's own, or where the
 * rest is checked later.
 */
export const isRtcp = (datagram: Uint8Array): boolean => datagram[1]! >= 192 && datagram[1]! <= 223;

/** Smallest RTCP packet: the header of a BYE without sources. */
const RTCP_BYTES_MIN = 4;
const RTP_BYTES_MIN = 12;
