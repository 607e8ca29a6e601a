import { instant } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { budgetOf, type Cell } from '../cell.ts';
import { type CellSource, framesPerSecondOf } from '../cell-source.ts';
import type { FrameTable } from '../frame-table.ts';
import type { SummaryRow } from '../tables.ts';
import { capacityLimit, type OfferedFrame } from './capacity-limit.ts';

type LimitColumns = Pick<
  SummaryRow,
  'limitMissRatio' | 'missAboveLimit' | 'limitGoodput' | 'goodputOfLimit' | 'causalMissRatio' | 'causalGoodput'
>;

const NO_LIMIT: LimitColumns = {
  limitMissRatio: null,
  missAboveLimit: null,
  limitGoodput: null,
  goodputOfLimit: null,
  causalMissRatio: null,
  causalGoodput: null,
};

/** Computes the columns of the capacity's limit. @param measuredFrom first row of the table that counts. */
export function limitColumns(
  cell: Cell,
  links: { readonly forward: LinkSpecification; readonly back: LinkSpecification },
  { frames, measuredFrom }: { readonly frames: FrameTable; readonly measuredFrom: number },
  { missRatio, goodput }: Pick<SummaryRow, 'missRatio' | 'goodput'>,
): LimitColumns {
  // The limit of two paths together is not computed.
  if (cell.second) return NO_LIMIT;
  const offered: OfferedFrame[] = [];
  for (let row = measuredFrom; row < frames.length; row++) {
    const capturedAt = instant(frames.time(row, 'capturedAt'));
    offered.push({ capturedAt, ...sizesOf(cell.source, frames.bytes(row)) });
  }
  const limit = capacityLimit(links.forward, offered, {
    budget: budgetOf(cell),
    framesPerSecond: framesPerSecondOf(cell.source),
    knownAfter: links.back.delay,
  });
  if (!limit) return NO_LIMIT;
  return {
    limitMissRatio: limit.missRatio,
    missAboveLimit: missRatio - limit.missRatio,
    limitGoodput: Math.round(limit.goodput),
    goodputOfLimit: limit.goodput === 0 ? null : goodput / limit.goodput,
    causalMissRatio: limit.causal?.missRatio ?? null,
    causalGoodput: limit.causal ? Math.round(limit.causal.goodput) : null,
  };
}

/** Sizes that the source could give a frame; those of a source that does not adapt are what they are. */
function sizesOf(source: CellSource, bytes: number): Pick<OfferedFrame, 'bytesMin' | 'bytesMax'> {
  if (source.kind !== 'adaptive') return { bytesMin: bytes, bytesMax: bytes };
  const each = (kbps: number) => (kbps * 125) / source.fps;
  return { bytesMin: each(source.kbpsMin), bytesMax: each(source.kbpsMax) };
}
