import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { BufferSlab } from '../base/buffer-slab.ts';
import { isRtcp } from '../rtp/multiplex.ts';
import { RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import {
  type CryptexLayout,
  moveExtensionHeaderBack,
  moveExtensionHeaderForward,
  readProtectedLayout,
} from './cryptex.ts';
import type { SrtpContextOptions } from './outgoing-context.ts';
import { REPLAY_WINDOW_PACKETS, ReplayWindow } from './replay-window.ts';
import { TAG_BYTES } from './srtp-cipher.ts';
import { EPOCH_PACKETS, type EpochKey, EpochKeys, writeNonce } from './srtp-epoch.ts';
import { RTCP_CLEAR_BYTES, SRTCP_ENCRYPTED, SRTCP_INDEX_BYTES, SRTCP_INDICES } from './srtp-packet.ts';

export interface IncomingContextOptions extends SrtpContextOptions {
  /** Packets behind the newest that are still accepted, a power of two from 64 on. */
  readonly replayWindowPackets?: number;
  /**
   * Context of another path of the same session. Each path has replay windows of its own, but roll-over counters are
   * estimated from the highest index of all, as a path may be away for several of them.
   */
  readonly besides?: IncomingContext;
}

/** Datagrams that `unprotect` has refused. */
export interface RefusedDatagrams {
  /** Too short, of another version or with an unencrypted header extension. */
  readonly malformed: number;
  /** Accepted before, or older than the replay window. */
  readonly replayed: number;
  /** With a wrong authentication tag. */
  readonly forged: number;
}

/** Limit of SSRCs whose packets were authentic; a peer has four. */
const SSRCS_MAX = 32;
/**
 * Roll-over counters tried, one for each packet that fails, after a loss of more than 2^15 packets: 64 of them are 80 s
 * at 500 Mb/s.
 */
const ROLLOVERS_MAX = 64;

/**
 * Cryptographic context of the packets that one end receives (RFC 3711 §3.2): verifies, decrypts, and refuses replays.
 * State of an SSRC exists only after one of its packets was authentic.
 */
export class IncomingContext {
  readonly #rtp: EpochKeys;
  readonly #rtcp: EpochKeys;
  readonly #epochPackets: number;
  readonly #cryptex: boolean;
  readonly #windowPackets: number;
  readonly #windows = new Map<number, ReplayWindow>();
  readonly #rtcpWindows = new Map<number, ReplayWindow>();
  /** Contexts of the other paths of the session. */
  readonly #others: IncomingContext[] = [];
  readonly #nonce = new Uint8Array(12);
  readonly #associated = new Uint8Array(RTCP_CLEAR_BYTES + SRTCP_INDEX_BYTES);
  /** Copy of the header in the clear: a view of each packet would cost more. */
  #clear = new Uint8Array(0);
  readonly #layout: CryptexLayout = { csrcs: 0, profile: undefined, clearBytes: 0 };
  readonly #slab = new BufferSlab();
  /** Packets that failed since the last authentic one. */
  #failures = 0;
  readonly #refused = { malformed: 0, replayed: 0, forged: 0 };

  constructor(options: IncomingContextOptions) {
    const { cipher, masterKeys, epochPackets = EPOCH_PACKETS, cryptex = true } = options;
    this.#rtp = new EpochKeys(cipher, masterKeys, 'rtp');
    this.#rtcp = new EpochKeys(cipher, masterKeys, 'rtcp');
    this.#epochPackets = epochPackets;
    this.#cryptex = cryptex;
    this.#windowPackets = options.replayWindowPackets ?? REPLAY_WINDOW_PACKETS;
    if (!options.besides) return;
    this.#others.push(options.besides, ...options.besides.#others);
    for (const other of this.#others) other.#others.push(this);
  }

  get refused(): RefusedDatagrams {
    return this.#refused;
  }

  /**
   * Returns the packet without its protection, in memory of its own; `undefined` when it is not authentic or a replay,
   * and then nothing else has changed.
   */
  unprotect(datagram: Uint8Array): Uint8Array | undefined {
    if (datagram.length < RTCP_CLEAR_BYTES + TAG_BYTES || datagram[0]! >> 6 !== 2) return this.#refuse('malformed');
    return isRtcp(datagram) ? this.#unprotectRtcp(datagram) : this.#unprotectRtp(datagram);
  }

  #unprotectRtp(datagram: Uint8Array): Uint8Array | undefined {
    const end = datagram.length - TAG_BYTES;
    const layout = this.#layout;
    if (end < RTP_HEADER_BYTES || !readProtectedLayout(datagram, end, this.#cryptex, layout)) {
      return this.#refuse('malformed');
    }
    const ssrc = readUint32(datagram, 8);
    const window = this.#windows.get(ssrc);
    const highest = this.#highestOf(ssrc, window);
    const index = estimatedIndex(highest, readUint16(datagram, 2));
    if (index < 0 || window?.admits(index) === false) return this.#refuse('replayed');
    const sealed = layout.csrcs === 0 ? datagram : datagram.slice();
    moveExtensionHeaderForward(sealed, layout.csrcs);
    const target = this.#slab.take(end);
    let accepted = index;
    if (!this.#openRtp(sealed, target, { ssrc, highest, index })) {
      accepted = index + ROLLOVER * (1 + (this.#failures++ % ROLLOVERS_MAX));
      if (!this.#openRtp(sealed, target, { ssrc, highest, index: accepted })) return this.#refuse('forged');
    }
    if (!this.#accept(this.#windows, ssrc, accepted)) return this.#refuse('forged');
    this.#failures = 0;
    for (let at = 0; at < layout.clearBytes; at++) target[at] = sealed[at]!;
    if (layout.profile !== undefined) {
      writeUint16(target, RTP_HEADER_BYTES, layout.profile);
      moveExtensionHeaderBack(target, layout.csrcs);
    }
    return target;
  }

  /** Highest index of an SSRC on any path; -1 before the first. */
  #highestOf(ssrc: number, window: ReplayWindow | undefined): number {
    let highest = window?.highest ?? -1;
    for (const other of this.#others) highest = Math.max(highest, other.#windows.get(ssrc)?.highest ?? -1);
    return highest;
  }

  #openRtp(sealed: Uint8Array, target: Uint8Array, { ssrc, highest, index }: SrtpIndex): boolean {
    const key = this.#keyAt(this.#rtp, highest, index);
    if (!key) return false;
    const { clearBytes } = this.#layout;
    writeNonce(this.#nonce, key.salt, ssrc, index);
    if (this.#clear.length !== clearBytes) this.#clear = new Uint8Array(clearBytes);
    const clear = this.#clear;
    for (let at = 0; at < clearBytes; at++) clear[at] = sealed[at]!;
    return key.aead.open(this.#nonce, clear, sealed, target, clearBytes);
  }

  #unprotectRtcp(datagram: Uint8Array): Uint8Array | undefined {
    const sealedEnd = datagram.length - SRTCP_INDEX_BYTES;
    const end = sealedEnd - TAG_BYTES;
    if (end < RTCP_CLEAR_BYTES) return this.#refuse('malformed');
    const word = readUint32(datagram, sealedEnd);
    if (word < SRTCP_ENCRYPTED) return this.#refuse('malformed');
    const onWire = word - SRTCP_ENCRYPTED;
    const ssrc = readUint32(datagram, 4);
    const window = this.#rtcpWindows.get(ssrc);
    const highest = window?.highest ?? -1;
    const index = nearestIndex(highest, onWire);
    if (index < 0 || window?.admits(index) === false) return this.#refuse('replayed');
    const target = this.#slab.take(end);
    const key = this.#keyAt(this.#rtcp, highest, index);
    if (
      !key ||
      !this.#openRtcp(key, datagram, target, { ssrc, onWire }) ||
      !this.#accept(this.#rtcpWindows, ssrc, index)
    ) {
      return this.#refuse('forged');
    }
    target.set(datagram.subarray(0, RTCP_CLEAR_BYTES));
    return target;
  }

  #openRtcp(key: EpochKey, datagram: Uint8Array, target: Uint8Array, { ssrc, onWire }: SrtcpIndex): boolean {
    const sealedEnd = datagram.length - SRTCP_INDEX_BYTES;
    writeNonce(this.#nonce, key.salt, ssrc, onWire);
    this.#associated.set(datagram.subarray(0, RTCP_CLEAR_BYTES));
    writeUint32(this.#associated, RTCP_CLEAR_BYTES, SRTCP_ENCRYPTED + onWire);
    const sealed = datagram.subarray(0, sealedEnd);
    return key.aead.open(this.#nonce, this.#associated, sealed, target, RTCP_CLEAR_BYTES);
  }

  /** Returns the key of an index; `undefined` beyond the next epoch, so that forged indices derive no keys. */
  #keyAt(keys: EpochKeys, highest: number, index: number): EpochKey | undefined {
    const epoch = Math.floor(index / this.#epochPackets);
    // The first packet of an SSRC has any sequence number.
    const present = Math.floor((highest < 0 ? ROLLOVER - 1 : highest) / this.#epochPackets);
    return epoch > present + 1 ? undefined : keys.of(epoch);
  }

  /** Marks an authentic packet as received. Returns false when there are too many SSRCs. */
  #accept(windows: Map<number, ReplayWindow>, ssrc: number, index: number): boolean {
    let window = windows.get(ssrc);
    if (!window) {
      if (windows.size >= SSRCS_MAX) return false;
      window = new ReplayWindow(this.#windowPackets);
      windows.set(ssrc, window);
    }
    window.accept(index);
    return true;
  }

  #refuse(cause: keyof RefusedDatagrams): undefined {
    this.#refused[cause]++;
    return undefined;
  }
}

interface SrtpIndex {
  readonly ssrc: number;
  /** Highest index of the SSRC so far; -1 before the first. */
  readonly highest: number;
  readonly index: number;
}

interface SrtcpIndex {
  readonly ssrc: number;
  /** The index on the wire, 31 bits. */
  readonly onWire: number;
}

const ROLLOVER = 2 ** 16;

/** Estimates the 48-bit index of a sequence number: the one nearest to the highest so far (RFC 3711 §3.3.1, §A). */
const estimatedIndex = (highest: number, sequence: number): number =>
  highest < 0 ? sequence : nearest(highest, sequence, ROLLOVER);

/** Estimates an SRTCP index beyond its 31 bits in the same way. */
const nearestIndex = (highest: number, onWire: number): number =>
  highest < 0 ? onWire : nearest(highest, onWire, SRTCP_INDICES);

/** Returns the number nearest to `highest` that equals `low` modulo `range`; negative when there is none. */
function nearest(highest: number, low: number, range: number): number {
  const candidate = highest - (highest % range) + low;
  if (candidate - highest > range / 2) return candidate - range;
  return highest - candidate >= range / 2 ? candidate + range : candidate;
}
