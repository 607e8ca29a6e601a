import { assert } from '../../protocol/base/assert.ts';
import { instant, seconds } from '../../protocol/base/units.ts';
import { budgetOf, type Cell, cellId, linkOf } from '../cell.ts';
import type { CellResult } from '../cell-result.ts';
import { type CellFiles, secondsOf } from '../cell-source.ts';
import { FrameTable } from '../frame-table.ts';
import { START } from '../media-run.ts';
import type { TransportFigures } from '../strategy.ts';
import { summarizeCell } from '../summarize.ts';
import { TrafficMeter } from '../traffic-meter.ts';
import { type FlowDescription, flowStrategy } from './flow-description.ts';
import type { FlowRow } from './flow-tables.ts';
import { type FinishedFlow, runShared } from './shared-run.ts';

/** Figures of a flow without packets of media. */
const NO_FIGURES: TransportFigures = {
  packetsSent: 0,
  packetsLost: 0,
  packetsResidual: 0,
  packetsLate: 0,
  bytesRetransmission: 0,
  bytesRepair: 0,
  bytesWasted: 0,
  bytesLate: 0,
  retransmissionsSent: 0,
  retransmissionsLost: 0,
  repairsSent: 0,
  repairsLost: 0,
  burstsBefore: [],
  burstsAfter: [],
  jitter: null,
  jitterFirst: null,
};

/** Runs a cell whose flows share its links; it lasts as long as its source. */
export function runFlowCell(cell: Cell, flows: readonly FlowDescription[], files: CellFiles): CellResult {
  const { warmUpSeconds, release, seed } = cell;
  const forward = linkOf(cell.forward, files.traces);
  const back = linkOf(cell.back, files.traces);
  const id = cellId(cell);
  const result = runShared({
    forward,
    back,
    flows,
    files: files.media,
    traces: files.traces,
    endsAt: instant(START + seconds(secondsOf(cell.source))),
    warmUpSeconds,
    budget: budgetOf(cell),
    release,
    seed,
  });
  const finished = result.flows.map((flow) => conclude(flow));
  const rows = finished.map(({ description, frames, measuredFrom, figures, traffic, flow }): FlowRow => {
    const { load } = description;
    const own = load.kind === 'media' ? load : { parameters: {}, source: cell.source };
    const observations = { forward, back, frames, measuredFrom, figures, traffic, simulatedUs: result.simulatedUs };
    const row = summarizeCell({ ...cell, parameters: own.parameters, source: own.source }, observations);
    return { ...row, cell: id, strategy: flowStrategy(description), ...flow };
  });
  const first = finished.find(({ frames }) => frames.length > 0) ?? finished[0];
  assert(first !== undefined && rows[0] !== undefined, 'a cell with flows must have at least one');
  const { frames, figures } = first;
  return {
    row: rows[0],
    flows: { rows, rates: result.rates },
    frames,
    bursts: { before: figures.burstsBefore, after: figures.burstsAfter },
    datagrams: result.datagrams,
  };

  function conclude({ description, run: { media }, figures: flow }: FinishedFlow) {
    if (!media) {
      const [frames, traffic] = [new FrameTable(), new TrafficMeter(0, () => false)];
      return { description, frames, measuredFrom: 0, figures: NO_FIGURES, traffic, flow };
    }
    const figures = media.conclude(instant(result.simulatedUs));
    const { frames, measuredFrom, traffic } = media;
    return { description, frames, measuredFrom, figures, traffic, flow };
  }
}
