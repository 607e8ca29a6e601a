import { microseconds, milliseconds, SECOND } from '../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { isMemoryless, overheadFloor, type RecoveryBound, recoveryBound } from '../bounds/recovery-bound.ts';
import type { SummaryRow } from '../tables.ts';

/** Of IPv4, UDP and RTP without extensions: the least that a packet of a stream has. */
const HEADER_BYTES = 40;
/** Longer frames take the program seconds. */
const PACKETS_MAX = 100;
/** Greater losses take the program seconds or minutes, as repair packets are then many times those of the frame. */
const SCHEME_LOSS_MAX = 0.6;

/**
 * Least overhead at which as many frames of a stream can arrive whole in time as in these runs of one path, source and
 * budget (lab/bounds/). Runs in which all did are compared at half a frame.
 *
 * @returns `undefined` for TCP, and where the path loses nothing at random or its line is not a link's. Without
 * `scheme` where frames differ in length, where the path has more than independent losses and a constant delay, and
 * above 60 % loss.
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
  const lost = Math.max(frames - whole, 0.5) / frames;
  const headers = (HEADER_BYTES * mean) / frameBytes;
  const hasScheme = isMemoryless(link.value) && mean === most && linkLoss <= SCHEME_LOSS_MAX;
  if (!hasScheme) return { floor: overheadFloor({ loss: linkLoss, headers }, lost), scheme: undefined };
  return recoveryBound(
    {
      loss: linkLoss,
      oneWay: milliseconds(linkDelayMs),
      roundTrip: milliseconds(linkRttMs),
      budget: milliseconds(budgetMs),
      frameInterval: microseconds(SECOND / framesPerSecond),
      packets: most,
      headers,
    },
    lost,
  );
}
