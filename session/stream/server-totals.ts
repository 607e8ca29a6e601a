import type { ServerSession } from './server-session.ts';

/** Totals over receivers; `bytes` are those of media datagrams, without retransmissions. */
export interface StreamServerTotals {
  receivers: number;
  frames: number;
  packets: number;
  bytes: number;
  retransmissions: number;
  /** Datagrams that the operating system refused to send. */
  refused: number;
}

/** Adds what was sent to one receiver. */
export function addSession(totals: StreamServerTotals, session: ServerSession): void {
  const { frames, packets, bytes, retransmissions } = session.statistics;
  totals.receivers++;
  totals.frames += frames;
  totals.packets += packets;
  totals.bytes += bytes;
  totals.retransmissions += retransmissions;
  totals.refused += session.sendsRefused;
}
