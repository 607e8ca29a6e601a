import { srtpCipher } from '../../io/crypto/srtp-cipher.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { ReusedMemory } from '../../protocol/base/reused-memory.ts';
import { hexBytes } from '../../protocol/base/text-codec.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import { RTP_HEADER_BYTES } from '../../protocol/rtp/rtp-packet.ts';
import { IncomingContext, type RefusedDatagrams } from '../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../protocol/srtp/outgoing-context.ts';
import { type SrtpDirection, sessionMasterKeys } from '../../protocol/srtp/srtp-keys.ts';
import { mac } from './identifiers.ts';

/** Label of the secret of a session's media; RFC 5705 §4 has this prefix for private use. */
const LABEL = 'EXPERIMENTAL-dropframe-srtp';

/** Memory of the packets of all senders of this thread: each `protect` is followed by their transmission. */
const transmitted = new ReusedMemory();

/** SRTP and SRTCP of one session at one of its ends, with keys from the control channel. */
export class MediaProtection {
  readonly #outgoing: OutgoingContext;
  readonly #incoming: IncomingContext;
  /** True where an RTP packet may leave by several paths. */
  readonly #copies: boolean;
  /** Header of the last RTP packet, and the packet as sent on the wire. */
  #last: { readonly packet: Uint8Array; readonly bytes: Uint8Array } | undefined;

  /**
   * @param session identifier of the session, 16 hexadecimal digits.
   * @param sharing protection of the session's first path, which counts what leaves by any path. At the receiver, what
   * arrives by each path has a replay window of its own, as the copy of a packet is the same datagram. Feedback has one
   * window for all paths, as each copy of it is protected by itself.
   */
  constructor(
    channel: SecureChannel,
    session: string,
    end: 'sender' | 'receiver',
    { paths = 1, sharing }: { readonly paths?: number; readonly sharing?: MediaProtection } = {},
  ) {
    this.#copies = paths > 1;
    const secret = channel.exported(LABEL, hexBytes(session) ?? new Uint8Array());
    const cipher = srtpCipher();
    const options = (direction: SrtpDirection) => ({ cipher, masterKeys: sessionMasterKeys(mac, secret, direction) });
    // A receiver's impaired path keeps what it sends.
    const memory = end === 'sender' ? { memory: transmitted } : {};
    this.#outgoing = sharing
      ? sharing.#outgoing
      : new OutgoingContext({ ...options(end === 'sender' ? 'to-receiver' : 'to-sender'), ...memory });
    const incoming = options(end === 'sender' ? 'to-sender' : 'to-receiver');
    if (sharing && end === 'sender') this.#incoming = sharing.#incoming;
    else this.#incoming = new IncomingContext({ ...incoming, ...(sharing && { besides: sharing.#incoming }) });
  }

  /** Forged or replayed datagrams. */
  get refused(): RefusedDatagrams {
    return this.#incoming.refused;
  }

  /**
   * Returns the datagrams as sent on the wire: in the order of their sequence numbers over all paths, a copy for another path
   * directly behind its packet. At a sender, their memory is used again by the next call for any session.
   */
  protect(datagrams: readonly Uint8Array[]): Uint8Array[] {
    transmitted.release();
    return datagrams.map((datagram) => {
      if (!this.#copies || isRtcp(datagram)) return this.#outgoing.protect(datagram);
      // An index must be protected only once.
      if (this.#last && isSamePacket(this.#last.packet, datagram)) return this.#last.bytes;
      const bytes = this.#outgoing.protect(datagram);
      this.#last = { packet: datagram.slice(0, RTP_HEADER_BYTES), bytes: bytes.slice() };
      return bytes;
    });
  }

  /** Returns the packet in a datagram; `undefined` when it is not authentic, or was received before. */
  unprotect(datagram: Uint8Array): Uint8Array | undefined {
    return this.#incoming.unprotect(datagram);
  }
}

/** True for RTP packets of one SSRC and sequence number. */
function isSamePacket(one: Uint8Array, other: Uint8Array): boolean {
  return readUint16(one, 2) === readUint16(other, 2) && readUint32(one, 8) === readUint32(other, 8);
}

/** Returns the protection of each path of a session: datagrams leave by that of the first one. */
export function protectionsOf(
  channel: SecureChannel,
  session: string,
  end: 'sender' | 'receiver',
  paths: number,
): MediaProtection[] {
  const first = new MediaProtection(channel, session, end, { paths });
  const others = Array.from(
    { length: paths - 1 },
    () => new MediaProtection(channel, session, end, { sharing: first }),
  );
  return [first, ...others];
}

/** Number of forged, malformed or replayed datagrams. */
export const refusedBy = ({ refused }: MediaProtection): number =>
  refused.forged + refused.malformed + refused.replayed;
