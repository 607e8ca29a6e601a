import { expect, test } from 'vitest';
import type { PlayerSession } from '../../../session/player/player-session.ts';
import { NO_TOTALS, withPlayers } from '../../../session/player/player-totals.ts';

test('totals count each player once, and what was sent again to it', () => {
  const totals = { frames: 3, packets: 10, bytes: 900, retransmissions: 2, skipped: 1 };
  const session = { totals } as PlayerSession;
  const first = withPlayers(NO_TOTALS, [session]);
  expect(withPlayers(first, [session])).toEqual({
    players: 2,
    frames: 6,
    packets: 20,
    bytes: 1_800,
    retransmissions: 4,
  });
});
