import { microseconds, milliseconds, SECOND } from '../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { isMemoryless, type RecoveryBound, recoveryBound } from '../bounds/recovery-bound.ts';
import type { SummaryRow } from '../tables.ts';

/** Of IPv4, UDP and RTP without extensions: the least that a packet of a stream has. */
const HEADER_BYTES = 40;
/** Longer frames take the program seconds. */
const PACKETS_MAX = 100;

/**
 * Least overhead at which as many frames of a stream can arrive whole in time as in these runs of one path, source and
 * budget (lab/bounds/). Runs in which all did are compared at half a frame.
 *
 * @returns `undefined` for TCP, and where the path loses nothing at random or its line is not a link's. Without
 * `scheme` where frames differ in length, or the path has more than independent losses and a constant delay.
 */
export function leastOverhead(rows: readonly SummaryRow[]): RecoveryBound | undefined {
  const { forward, linkLoss, linkDelayMs, linkRttMs, budgetMs, framesPerSecond, ...row } = rows[0]!;
  const { framePackets: mean, framePacketsMax: most } = row;
  if (mean === null || most === null || most > PACKETS_MAX || linkLoss <= 0 || linkLoss >= 1) return undefined;
  const link = parseLinkSpecification(forward);
  if (!link.ok) return undefined;
  const frames = rows.reduce((sum, { frames: each }) => sum + each, 0);
  const whole = rows.reduce((sum, { framesCompleteInTime: each }) => sum + each, 0);
  const frameBytes = row.sourceRate / 8 / framesPerSecond;
  const bound = recoveryBound(
    {
      loss: linkLoss,
      oneWay: milliseconds(linkDelayMs),
      roundTrip: milliseconds(linkRttMs),
      budget: milliseconds(budgetMs),
      frameInterval: microseconds(SECOND / framesPerSecond),
      packets: most,
      headers: (HEADER_BYTES * mean) / frameBytes,
    },
    Math.max(frames - whole, 0.5) / frames,
  );
  return isMemoryless(link.value) && mean === most ? bound : { floor: bound.floor, scheme: undefined };
}
