import { assert } from '../base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { BufferSlab } from '../base/buffer-slab.ts';
import { isRtcp } from '../rtp/multiplex.ts';
import { RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import { type CryptexLayout, moveExtensionHeaderBack, moveExtensionHeaderForward, readClearLayout } from './cryptex.ts';
import { type SrtpCipher, TAG_BYTES } from './srtp-cipher.ts';
import { EPOCH_PACKETS, EpochKeys, writeNonce } from './srtp-epoch.ts';
import type { MasterKeys } from './srtp-keys.ts';
import { RTCP_CLEAR_BYTES, SRTCP_ENCRYPTED, SRTCP_INDEX_BYTES, SRTCP_INDICES } from './srtp-packet.ts';

/** Memory for packets. */
export interface PacketMemory {
  /** Returns `bytes` bytes of any content. */
  take(bytes: number): Uint8Array;
}

export interface SrtpContextOptions {
  readonly cipher: SrtpCipher;
  readonly masterKeys: MasterKeys;
  /** Packets of one SSRC under one master key, a power of two from 2^17 on. Default `EPOCH_PACKETS`. */
  readonly epochPackets?: number;
  /** True when CSRCs and header extensions are encrypted (RFC 9335), the default; false for peers without Cryptex. */
  readonly cryptex?: boolean;
}

export interface OutgoingContextOptions extends SrtpContextOptions {
  /** Memory of the packets that `protect` returns; by default memory of their own. */
  readonly memory?: PacketMemory;
}

/**
 * Cryptographic context of the packets that one end sends (RFC 3711 §3.2): protects RTP with SRTP and RTCP with SRTCP,
 * AEAD_AES_128_GCM (RFC 7714). Each SSRC has its own index; the key changes every `epochPackets` of it.
 */
export class OutgoingContext {
  readonly #rtp: EpochKeys;
  readonly #rtcp: EpochKeys;
  readonly #epochPackets: number;
  readonly #cryptex: boolean;
  readonly #memory: PacketMemory;
  readonly #indices = new Map<number, number>();
  readonly #rtcpIndices = new Map<number, number>();
  readonly #nonce = new Uint8Array(12);
  readonly #associated = new Uint8Array(RTCP_CLEAR_BYTES + SRTCP_INDEX_BYTES);
  /** Copy of the header in the clear: a view of each packet would cost more. */
  #clear = new Uint8Array(0);
  readonly #layout: CryptexLayout = { csrcs: 0, profile: undefined, clearBytes: 0 };

  constructor(options: OutgoingContextOptions) {
    const { cipher, masterKeys, epochPackets = EPOCH_PACKETS, cryptex = true, memory = new BufferSlab() } = options;
    this.#memory = memory;
    this.#rtp = new EpochKeys(cipher, masterKeys, 'rtp');
    this.#rtcp = new EpochKeys(cipher, masterKeys, 'rtcp');
    this.#epochPackets = epochPackets;
    this.#cryptex = cryptex;
  }

  /**
   * Returns the datagram as sent on the wire: longer by 16 bytes (RTP) or 20 (RTCP). The datagram itself is not
   * changed. RTP of one SSRC must be passed in the order of its sequence numbers, each once.
   */
  protect(datagram: Uint8Array): Uint8Array {
    return isRtcp(datagram) ? this.#protectRtcp(datagram) : this.#protectRtp(datagram);
  }

  #protectRtp(datagram: Uint8Array): Uint8Array {
    const ssrc = readUint32(datagram, 8);
    const index = this.#nextIndex(ssrc, readUint16(datagram, 2));
    const { aead, salt } = this.#rtp.of(Math.floor(index / this.#epochPackets));
    writeNonce(this.#nonce, salt, ssrc, index);
    const target = this.#memory.take(datagram.length + TAG_BYTES);
    const layout = this.#layout;
    const known = readClearLayout(datagram, this.#cryptex, layout);
    assert(known, 'a protected header extension must be one of RFC 8285');
    const arranged = layout.csrcs === 0 ? datagram : datagram.slice();
    moveExtensionHeaderForward(arranged, layout.csrcs);
    const { clearBytes } = layout;
    if (this.#clear.length !== clearBytes) this.#clear = new Uint8Array(clearBytes);
    const clear = this.#clear;
    for (let at = 0; at < clearBytes; at++) clear[at] = arranged[at]!;
    if (layout.profile !== undefined) writeUint16(clear, RTP_HEADER_BYTES, layout.profile);
    for (let at = 0; at < clearBytes; at++) target[at] = clear[at]!;
    aead.seal(this.#nonce, clear, arranged, target, clearBytes);
    moveExtensionHeaderBack(target, layout.csrcs);
    return target;
  }

  /** Returns the 48-bit index: the roll-over counter is counted here (RFC 3711 §3.3.1). */
  #nextIndex(ssrc: number, sequence: number): number {
    const last = this.#indices.get(ssrc);
    let index = sequence;
    if (last !== undefined) {
      index = last + ((sequence - last) & 0xffff);
      assert(index !== last, 'a packet index must be protected only once, so that a nonce is never used twice');
    }
    this.#indices.set(ssrc, index);
    return index;
  }

  #protectRtcp(datagram: Uint8Array): Uint8Array {
    assert(datagram.length >= RTCP_CLEAR_BYTES, 'an RTCP packet must contain an SSRC to be protected');
    const ssrc = readUint32(datagram, 4);
    const index = (this.#rtcpIndices.get(ssrc) ?? 0) + 1;
    this.#rtcpIndices.set(ssrc, index);
    const { aead, salt } = this.#rtcp.of(Math.floor(index / this.#epochPackets));
    const onWire = index % SRTCP_INDICES;
    writeNonce(this.#nonce, salt, ssrc, onWire);
    const target = this.#memory.take(datagram.length + TAG_BYTES + SRTCP_INDEX_BYTES);
    const sealedEnd = target.length - SRTCP_INDEX_BYTES;
    writeUint32(target, sealedEnd, SRTCP_ENCRYPTED + onWire);
    target.set(datagram.subarray(0, RTCP_CLEAR_BYTES));
    this.#associated.set(target.subarray(0, RTCP_CLEAR_BYTES));
    writeUint32(this.#associated, RTCP_CLEAR_BYTES, SRTCP_ENCRYPTED + onWire);
    aead.seal(this.#nonce, this.#associated, datagram, target, RTCP_CLEAR_BYTES);
    return target;
  }
}
