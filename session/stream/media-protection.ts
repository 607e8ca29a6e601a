import { srtpCipher } from '../../io/crypto/srtp-cipher.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import { ReusedMemory } from '../../protocol/base/reused-memory.ts';
import { hexBytes } from '../../protocol/base/text-codec.ts';
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

  /** @param session identifier of the session, 16 hexadecimal digits. */
  constructor(channel: SecureChannel, session: string, end: 'sender' | 'receiver') {
    const secret = channel.exported(LABEL, hexBytes(session) ?? new Uint8Array());
    const cipher = srtpCipher();
    const options = (direction: SrtpDirection) => ({ cipher, masterKeys: sessionMasterKeys(mac, secret, direction) });
    // A receiver's impaired path keeps what it sends.
    const memory = end === 'sender' ? { memory: transmitted } : {};
    this.#outgoing = new OutgoingContext({ ...options(end === 'sender' ? 'to-receiver' : 'to-sender'), ...memory });
    this.#incoming = new IncomingContext(options(end === 'sender' ? 'to-sender' : 'to-receiver'));
  }

  /** Forged or replayed datagrams. */
  get refused(): RefusedDatagrams {
    return this.#incoming.refused;
  }

  /** Returns the datagrams as sent on the wire. At a sender, their memory is used again by the next call for any session. */
  protect(datagrams: readonly Uint8Array[]): Uint8Array[] {
    transmitted.release();
    return datagrams.map((datagram) => this.#outgoing.protect(datagram));
  }

  /** Returns the packet in a datagram; `undefined` when it is not authentic, or was received before. */
  unprotect(datagram: Uint8Array): Uint8Array | undefined {
    return this.#incoming.unprotect(datagram);
  }
}
