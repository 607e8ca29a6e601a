import type { LaneSettings } from '../../protocol/page/lane-message.ts';
import { strategyLabel, strategyOf } from './lane-style.ts';
import { counted, roughly } from './text.ts';
import { type Recent, SPAN_MS, type Verdict } from './verdict.ts';

/** One lane as the lesson sees it. */
export interface Taught {
  readonly settings: LaneSettings;
  readonly verdict: Verdict;
  readonly counts: Recent | undefined;
  readonly behindMs: number | undefined;
}

const SPAN = `the last ${SPAN_MS / 1_000} seconds`;
/** Recoveries in the order in which one of them stands for all. */
const RECOVERING = ['hybrid', 'adaptive', 'nack', 'fec'];

/** Returns what the lanes show now, in one or two sentences; empty while nothing is known. */
export function lessonOf(lanes: readonly Taught[]): string {
  const started = lanes.filter(({ counts }) => counts !== undefined);
  // A lane that follows the path sends a stream of its own, whose losses are others: it counts where no other lane is.
  const same = started.filter(({ settings }) => !settings.follows);
  const known = same.length > 0 ? same : started;
  const lost = Math.max(0, ...known.map(({ counts }) => counts!.packetsLost));
  if (known.length === 0) return '';
  const bare = known.find(({ settings }) => ['none', 'reorder'].includes(strategyOf(settings)));
  const recovering = RECOVERING.flatMap((name) => lanes.filter(({ settings }) => strategyOf(settings) === name))[0];
  const tcp = known.find(({ settings }) => settings.transport === 'tcp');
  if (lost === 0) return quiet(lanes, tcp);
  const clauses = [bareClause(bare), recoveringClause(recovering), tcpClause(tcp)].filter((clause) => clause !== '');
  const lostWords = `The network lost ${counted(lost, 'packet')} in ${SPAN}.`;
  return clauses.length === 0 ? lostWords : `${lostWords} ${clauses.join('; ')}.`;
}

function quiet(lanes: readonly Taught[], tcp: Taught | undefined): string {
  const late = tcp?.verdict.kind.startsWith('late') ? tcp : undefined;
  if (late) {
    return `Nothing was lost in ${SPAN}, yet TCP is ${roughly(late.behindMs!)} behind live: it plays what is queued, and skips nothing.`;
  }
  const nothing = `The network lost nothing in ${SPAN}`;
  if (!lanes.every(({ verdict }) => verdict.kind === 'whole')) return `${nothing}.`;
  return lanes.length === 1
    ? `${nothing}: the lane is whole and on time. Lose some packets to see what becomes of it.`
    : `${nothing}: every lane is whole and on time. Lose some packets to see how they differ.`;
}

function bareClause(lane: Taught | undefined): string {
  if (!lane?.counts) return '';
  const { damaged, lost } = lane.counts;
  if (damaged > 0) return 'UDP without recovery shows the damage';
  return lost > 0 ? `UDP without recovery missed ${counted(lost, 'picture')}` : '';
}

function recoveringClause(lane: Taught | undefined): string {
  if (!lane?.counts) return '';
  const { recovered, lost, late } = lane.counts;
  const missed = lost + late;
  const name = strategyLabel(strategyOf(lane.settings));
  if (recovered === 0) return missed > 0 ? `${name} had no time to recover ${counted(missed, 'picture')}` : '';
  const rest = missed === 0 ? '' : ` and missed ${missed}`;
  return `${name} recovered ${counted(recovered, 'picture')} in time${rest}`;
}

function tcpClause(lane: Taught | undefined): string {
  if (!lane || lane.behindMs === undefined) return '';
  if (lane.verdict.kind.startsWith('late')) return `TCP makes everyone wait, ${roughly(lane.behindMs)} behind live`;
  return lane.verdict.kind === 'whole' ? 'TCP still keeps up' : '';
}
