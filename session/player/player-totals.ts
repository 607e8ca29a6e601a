import type { PlayerSession } from './player-session.ts';

/** Totals over the players of a server, including those that have left. */
export interface PlayerTotals {
  readonly players: number;
  readonly frames: number;
  readonly packets: number;
  readonly bytes: number;
}

export const NO_TOTALS: PlayerTotals = { players: 0, frames: 0, packets: 0, bytes: 0 };

/** Adds a player to totals. */
export function addPlayer(
  totals: { -readonly [Key in keyof PlayerTotals]: number },
  { totals: own }: PlayerSession,
): void {
  totals.players++;
  totals.frames += own.frames;
  totals.packets += own.packets;
  totals.bytes += own.bytes;
}
