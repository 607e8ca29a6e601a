import { readUint32 } from '../protocol/base/big-endian.ts';
import { isRtcp } from '../protocol/rtp/multiplex.ts';
import type { Direction } from '../sim/direction.ts';
import { MEDIA_SSRC, REPAIR_SSRC, RETRANSMISSION_SSRC } from '../sim/simulated-stream.ts';
import type { StrategyName } from './strategies.ts';

/** Returns the type of a datagram in one word, depending on the strategy. */
export function datagramKind(strategy: StrategyName): (direction: Direction, datagram: Uint8Array) => string {
  if (strategy.startsWith('tcp-')) return () => 'segment';
  return (direction, datagram) => {
    if (direction === 'back' || datagram.length < 12 || isRtcp(datagram)) return 'control';
    const ssrc = readUint32(datagram, 8);
    if (ssrc === MEDIA_SSRC) return 'media';
    if (ssrc === RETRANSMISSION_SSRC) return 'retransmission';
    return ssrc === REPAIR_SSRC ? 'repair' : 'foreign';
  };
}
