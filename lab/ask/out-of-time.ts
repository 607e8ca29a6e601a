import { Failure } from '../../io/os/failure.ts';
import { inMilliseconds, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { budgetOf, type Cell, lineOf } from '../cell.ts';
import { isPathStrategy } from '../strategies.ts';

/**
 * Points out cells in which no frame can be in time, because a datagram alone takes longer than the budget.
 * @throws {Failure} when that is so in all cells.
 */
export function checkBudgets(cells: readonly Cell[], warn: (message: string) => void): void {
  const transits = cells.map((cell) => ({ cell, transit: knownTransit(cell) }));
  const late = transits.filter(({ cell, transit }) => transit !== undefined && transit > budgetOf(cell));
  if (late.length === 0) return;
  const { cell, transit } = late[0]!;
  const why = `a datagram takes ${inMilliseconds(transit!)} ms to arrive, longer than the budget of ${cell.budgetMs} ms`;
  if (late.length === cells.length) throw new Failure(`no frame can be in time: ${why}; raise budget=`, 2);
  warn(`in ${late.length} of ${cells.length} cells no frame can be in time: ${why}`);
}

/** Shortest transit of a cell's media; `undefined` where a datagram may be faster than its link's parameters say. */
function knownTransit(cell: Cell): Microseconds | undefined {
  const forward = fixedLink(cell.forward);
  const second = cell.second && fixedLink(cell.second.forward);
  if (!forward || (cell.second && !second)) return undefined;
  // Frames may be much shorter than a full datagram, whose time on the line does not count therefore.
  const delays = [forward, ...(second && isPathStrategy(cell.strategy) ? [second] : [])].map(
    (link) => lineOf(link).delay,
  );
  return microseconds(Math.min(...delays));
}

function fixedLink(text: string): LinkSpecification | undefined {
  const link = parseLinkSpecification(text);
  if (!link.ok) return undefined;
  const { netem, changes, jitterDistribution } = link.value;
  return netem || changes?.length || jitterDistribution ? undefined : link.value;
}
