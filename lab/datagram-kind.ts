import { readUint32 } from '../protocol/base/big-endian.ts';
import { isRtcp } from '../protocol/rtp/multiplex.ts';
import type { Direction } from '../sim/direction.ts';
import {
  MEDIA_SSRC,
  REPAIR_SSRC,
  RETRANSMISSION_SSRC,
  SOUND_REPAIR_SSRC,
  SOUND_RETRANSMISSION_SSRC,
  SOUND_SSRC,
} from '../sim/simulated-stream.ts';
import type { StrategyName } from './strategies.ts';

const KINDS: ReadonlyMap<number, string> = new Map([
  [MEDIA_SSRC, 'media'],
  [RETRANSMISSION_SSRC, 'retransmission'],
  [REPAIR_SSRC, 'repair'],
  [SOUND_SSRC, 'sound'],
  [SOUND_RETRANSMISSION_SSRC, 'sound-retransmission'],
  [SOUND_REPAIR_SSRC, 'sound-repair'],
]);

/** Returns the type of a datagram in one word, depending on the strategy. */
export function datagramKind(strategy: StrategyName): (direction: Direction, datagram: Uint8Array) => string {
  if (strategy.startsWith('tcp-')) return () => 'segment';
  return (direction, datagram) => {
    if (direction === 'back' || datagram.length < 12 || isRtcp(datagram)) return 'control';
    return KINDS.get(readUint32(datagram, 8)) ?? 'foreign';
  };
}
