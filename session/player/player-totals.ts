import type { PlayerSession } from './player-session.ts';

/** Totals over the players of a server, including those that have left. */
export interface PlayerTotals {
  readonly players: number;
  readonly frames: number;
  readonly packets: number;
  readonly bytes: number;
  /** Packets sent again on request. */
  readonly retransmissions: number;
}

export const NO_TOTALS: PlayerTotals = { players: 0, frames: 0, packets: 0, bytes: 0, retransmissions: 0 };

/** Returns the totals with players added. */
export function withPlayers(totals: PlayerTotals, sessions: readonly PlayerSession[]): PlayerTotals {
  let { players, frames, packets, bytes, retransmissions } = totals;
  for (const { totals: own } of sessions) {
    players++;
    frames += own.frames;
    packets += own.packets;
    bytes += own.bytes;
    retransmissions += own.retransmissions;
  }
  return { players, frames, packets, bytes, retransmissions };
}
