import type { ServerSession } from './server-session.ts';

/** Totals over receivers; `bytes` are those of media datagrams, without retransmissions. */
export interface SentTotals {
  receivers: number;
  frames: number;
  packets: number;
  bytes: number;
  retransmissions: number;
  /** Bytes of all datagrams: media, retransmissions and repair packets. */
  sentBytes: number;
  /** Those of them that receivers reported as received, one by one (RFC 8888). */
  deliveredBytes: number;
  /** Datagrams that the operating system refused to send. */
  refused: number;
}

export const noTotals = (): SentTotals => ({
  receivers: 0,
  frames: 0,
  packets: 0,
  bytes: 0,
  retransmissions: 0,
  sentBytes: 0,
  deliveredBytes: 0,
  refused: 0,
});

/** Totals of a stream server. */
export interface StreamServerTotals extends Readonly<SentTotals> {
  /** A source that follows: mean of the bit rate that its encoder was told, bits per second; otherwise `undefined`. */
  readonly meanTarget: number | undefined;
  /** The time of that mean, seconds; 0 for a source that does not follow. */
  readonly followedSeconds: number;
}

/** Adds what was sent to one receiver. */
export function addSession(totals: SentTotals, session: ServerSession): void {
  const { frames, packets, bytes, retransmissions, retransmissionBytes, repairBytes, deliveredBytes } =
    session.statistics;
  totals.sentBytes += bytes + retransmissionBytes + repairBytes;
  totals.deliveredBytes += deliveredBytes;
  totals.receivers++;
  totals.frames += frames;
  totals.packets += packets;
  totals.bytes += bytes;
  totals.retransmissions += retransmissions;
  totals.refused += session.sendsRefused;
}
