/**
 * What a datagram on a port that RTP and RTCP share claims to be, from its first two bytes (RFC 5761 §4): the second
 * byte of RTCP is its packet type, 192…223; RTP keeps clear of it because payload types 64…95 are not used.
 * `foreign`: neither. Only a parser says whether the claim is true.
 */
export function classifyDatagram(datagram: Uint8Array): 'rtp' | 'rtcp' | 'foreign' {
  if (datagram.length < RTCP_BYTES_MIN || datagram[0]! >> 6 !== 2) return 'foreign';
  const second = datagram[1]!;
  if (second >= 192 && second <= 223) return 'rtcp';
  return datagram.length < RTP_BYTES_MIN ? 'foreign' : 'rtp';
}

/** A goodbye of no sources: a header alone. */
const RTCP_BYTES_MIN = 4;
const RTP_BYTES_MIN = 12;
