/**
 * Protected packets (RFC 7714 §8.2 and §9.2). The tag follows the ciphertext; there is no key identifier (MKI).
 *
 *    SRTP                                                          SRTCP
 *    +--------------------------------------------------+          +--------------------------------------------------+
 *    | RTP header: 12 bytes, or 16 with an extension    | clear    | first 8 bytes of the compound: header and SSRC   |
 *    +--------------------------------------------------+          +--------------------------------------------------+
 *    | CSRCs, header extension (RFC 9335), payload      | cipher   | the rest of the compound                         |
 *    +--------------------------------------------------+          +--------------------------------------------------+
 *    | authentication tag, 16 bytes                     |          | authentication tag, 16 bytes                     |
 *    +--------------------------------------------------+          +-+------------------------------------------------+
 *                                                                  |E| SRTCP index, 31 bits                           |
 *                                                                  +-+------------------------------------------------+
 */

/** Bytes of an RTCP compound that stay in the clear: the header and the SSRC of its first packet. */
export const RTCP_CLEAR_BYTES = 8;
/** Bytes of the E flag and the SRTCP index. */
export const SRTCP_INDEX_BYTES = 4;
/** Number of SRTCP indices on the wire. */
export const SRTCP_INDICES = 2 ** 31;
/** E flag: the packet is encrypted (RFC 3711 §3.4). */
export const SRTCP_ENCRYPTED = 2 ** 31;

/** Bytes by which protection lengthens a datagram at most. */
export const PROTECTION_BYTES_MAX = 20;
