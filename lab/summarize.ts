import { inMilliseconds, instant, microseconds } from '../protocol/base/units.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { budgetOf, type Cell, cellId, formatParameters, lineOf } from './cell.ts';
import { framesPerSecondOf, labelOf, rateOf } from './cell-source.ts';
import type { FrameTable } from './frame-table.ts';
import { isWhole } from './metrics/decodability.ts';
import { libwebrtcFreezes, stalls, tamburFreezes, w3cFreezes, w3cPauses } from './metrics/freeze.ts';
import { percentile, roundedMean, type Sorted, sorted } from './metrics/percentile.ts';
import { RunLengths } from './metrics/run-lengths.ts';
import { limitColumns } from './oracle/limit-columns.ts';
import { isKernelStrategy } from './strategies.ts';
import type { TransportFigures } from './strategy.ts';
import { FRAME_OUTCOMES, type FrameOutcome, type Mechanism, type SummaryRow } from './tables.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** Observations of a cell's run. */
export interface CellObservations {
  readonly forward: LinkSpecification;
  readonly back: LinkSpecification;
  readonly frames: FrameTable;
  /** First row after the warm-up. */
  readonly measuredFrom: number;
  readonly figures: TransportFigures;
  readonly traffic: TrafficMeter;
  readonly simulatedUs: number;
  /** Bytes of the sound captured after the warm-up, which overhead is relative to as well; 0 by default. */
  readonly soundBytes?: number;
}

/** Computes the summary row of a cell. */
export function summarizeCell(cell: Cell, observations: CellObservations): SummaryRow {
  const { frames, measuredFrom, figures } = observations;
  const delays = punctuality(cell, frames, measuredFrom);
  const traffic = bytes(cell, observations);
  return {
    ...inputs(cell, observations),
    ...classes(frames, measuredFrom),
    ...delays,
    ...smoothness(cell, frames, measuredFrom),
    packetsSent: figures.packetsSent,
    packetsLost: figures.packetsLost,
    packetsResidual: figures.packetsResidual,
    packetsLate: figures.packetsLate,
    ...bursts(figures),
    ...traffic,
    ...recoveryLatency(frames, measuredFrom),
    jitterUs: figures.jitter,
    jitterFirstUs: figures.jitterFirst,
    ...limitColumns(cell, observations, observations, { ...delays, ...traffic }),
    simulatedUs: observations.simulatedUs,
    bytesLate: figures.bytesLate,
    ...framePackets(frames, measuredFrom),
    ...lossesOfEachKind(cell, observations),
    host: isKernelStrategy(cell.strategy) ? 'measured' : (cell.host ?? 'ideal'),
  };
}

/** Throughput of the forward path, and losses of each kind and direction. */
function lossesOfEachKind(cell: Cell, { frames, measuredFrom, figures, traffic }: CellObservations) {
  const { forward, back } = traffic;
  const seconds = Math.max(0, frames.length - measuredFrom) / framesPerSecondOf(cell.source);
  return {
    throughput: seconds === 0 ? 0 : Math.round((forward.bytesDelivered * 8) / seconds),
    retransmissionsSent: figures.retransmissionsSent,
    retransmissionsLost: figures.retransmissionsLost,
    repairsSent: figures.repairsSent,
    repairsLost: figures.repairsLost,
    datagramsLostForward: forward.lost,
    datagramsDroppedForward: forward.dropped,
    datagramsLostBack: back.lost,
    datagramsDroppedBack: back.dropped,
  };
}

/** Packets of the frames that were packetized. */
function framePackets(frames: FrameTable, from: number) {
  let [sent, packets, most] = [0, 0, 0];
  for (let row = from; row < frames.length; row++) {
    const count = frames.packets(row);
    if (count === 0) continue;
    sent++;
    packets += count;
    most = Math.max(most, count);
  }
  return { framePackets: share(packets, sent), framePacketsMax: sent === 0 ? null : most };
}

function inputs(cell: Cell, links: CellObservations) {
  const forward = lineOf(links.forward);
  const back = lineOf(links.back);
  return {
    cell: cellId(cell),
    strategy: cell.strategy,
    parameters: formatParameters(cell.parameters),
    source: labelOf(cell.source),
    forward: cell.forward,
    back: cell.back,
    seed: cell.seed,
    budgetMs: cell.budgetMs,
    release: cell.release,
    linkLoss: forward.loss,
    linkBurst: forward.burst,
    linkDelayMs: inMilliseconds(forward.delay),
    linkRttMs: inMilliseconds(microseconds(forward.delay + back.delay)),
    linkRate: forward.rate,
    framesPerSecond: framesPerSecondOf(cell.source),
    keyInterval: cell.source.keyInterval,
    sourceRate: Math.round(rateOf(cell.source)),
  };
}

function classes(frames: FrameTable, from: number) {
  const counts = Object.fromEntries(FRAME_OUTCOMES.map((name) => [name, 0])) as Record<FrameOutcome, number>;
  for (let row = from; row < frames.length; row++) counts[frames.class(row)]++;
  return {
    frames: Math.max(0, frames.length - from),
    framesOnTime: counts.onTime,
    framesRecovered: counts.recovered,
    framesLate: counts.late,
    framesMended: counts.mended,
    framesOverdue: counts.overdue,
    framesIncomplete: counts.incomplete,
    framesNeverArrived: counts.neverArrived,
    framesUndecodable: counts.undecodable,
    framesRefused: counts.refused,
  };
}

/** Delays from capture, and the frames within the budget. */
function punctuality(cell: Cell, frames: FrameTable, from: number) {
  const budget = budgetOf(cell);
  const total = Math.max(0, frames.length - from);
  const all = new Float64Array(total);
  const delivered: number[] = [];
  const punctual: number[] = [];
  const shown: number[] = [];
  let completeInTime = 0;
  for (let row = from; row < frames.length; row++) {
    const capturedAt = frames.time(row, 'capturedAt');
    const delay = frames.time(row, 'decodableAt') - capturedAt;
    const decodable = !Number.isNaN(delay);
    all[row - from] = decodable ? delay : Number.POSITIVE_INFINITY;
    if (decodable) delivered.push(delay);
    if (decodable && delay <= budget) punctual.push(delay);
    if (isWhole(frames, row) && frames.time(row, 'completeAt') - capturedAt <= budget) completeInTime++;
    const render = frames.time(row, 'renderedAt') - capturedAt;
    if (!Number.isNaN(render)) shown.push(render);
  }
  const every = all.sort();
  const deliveredDelays = sorted(delivered);
  const inTime = punctual.length;
  const punctualDelays = sorted(punctual);
  const rendered = sorted(shown);
  return {
    framesCompleteInTime: completeInTime,
    framesInTime: inTime,
    framesDecodable: delivered.length,
    framesRendered: shown.length,
    onTimeRatio: share(inTime, total),
    missRatio: share(total - inTime, total),
    decodableRatio: share(delivered.length, total),
    delayUsP50: percentile(every, 0.5),
    delayUsP95: percentile(every, 0.95),
    delayUsP99: percentile(every, 0.99),
    delayUsP999: percentile(every, 0.999),
    delayUsMax: percentile(every, 1),
    deliveredUsMean: roundedMean(deliveredDelays),
    deliveredUsP50: percentile(deliveredDelays, 0.5),
    deliveredUsP95: percentile(deliveredDelays, 0.95),
    deliveredUsP99: percentile(deliveredDelays, 0.99),
    deliveredUsP999: percentile(deliveredDelays, 0.999),
    deliveredUsMax: percentile(deliveredDelays, 1),
    inTimeUsP50: percentile(punctualDelays, 0.5),
    inTimeUsP95: percentile(punctualDelays, 0.95),
    renderUsP50: percentile(rendered, 0.5),
    renderUsP95: percentile(rendered, 0.95),
    renderUsP99: percentile(rendered, 0.99),
  };
}

/** Freezes and stalls of the displayed frames. */
function smoothness(cell: Cell, frames: FrameTable, from: number) {
  const renderedAt: number[] = [];
  let fastest = Number.POSITIVE_INFINITY;
  for (let row = from; row < frames.length; row++) {
    const at = frames.time(row, 'renderedAt');
    if (Number.isNaN(at)) continue;
    renderedAt.push(at);
    fastest = Math.min(fastest, at - frames.time(row, 'capturedAt'));
  }
  // Frames are displayed in release order, except B-frames, whose times the decoder swaps.
  renderedAt.sort((one, other) => one - other);
  const period = Math.round(1e6 / framesPerSecondOf(cell.source));
  const offset = renderedAt.length === 0 ? budgetOf(cell) : fastest;
  const measured = frames.length > from;
  const stall = stalls(
    renderedAt,
    {
      from: measured ? instant(frames.time(from, 'capturedAt') + offset) : instant(0),
      to: measured ? instant(frames.time(frames.length - 1, 'capturedAt') + offset + period) : instant(0),
    },
    // Rounding of 90 kHz ticks to microseconds must not count as a stall.
    microseconds(period + 2),
  );
  const w3c = w3cFreezes(renderedAt);
  const pauses = w3cPauses(renderedAt);
  const libwebrtc = libwebrtcFreezes(renderedAt);
  const tambur = tamburFreezes(renderedAt);
  return {
    freezes: w3c.count,
    freezeUs: w3c.duration,
    pauses: pauses.count,
    pauseUs: pauses.duration,
    freezesLibwebrtc: libwebrtc.count,
    freezeUsLibwebrtc: libwebrtc.duration,
    freezesTambur: tambur.count,
    freezeUsTambur: tambur.duration,
    stallUs: stall.stalled,
    watchedUs: stall.watched,
    stallRatio: share(stall.stalled, stall.watched),
  };
}

function bursts({ burstsBefore, burstsAfter }: TransportFigures) {
  const before = RunLengths.summarize(burstsBefore);
  const after = RunLengths.summarize(burstsAfter);
  return {
    burstsBefore: before.runs,
    burstMeanBefore: before.mean,
    burstMaxBefore: before.max,
    burstsAfter: after.runs,
    burstMeanAfter: after.mean,
    burstMaxAfter: after.max,
  };
}

function bytes(cell: Cell, { frames, measuredFrom, figures, traffic, soundBytes = 0 }: CellObservations) {
  const budget = budgetOf(cell);
  let source = 0;
  let good = 0;
  for (let row = measuredFrom; row < frames.length; row++) {
    source += frames.bytes(row);
    const delay = frames.time(row, 'decodableAt') - frames.time(row, 'capturedAt');
    if (delay <= budget) good += frames.bytes(row);
  }
  const seconds = Math.max(0, frames.length - measuredFrom) / framesPerSecondOf(cell.source);
  const all = source + soundBytes;
  const spent = figures.bytesRetransmission + figures.bytesRepair;
  return {
    bytesSource: source,
    bytesGood: good,
    bytesForward: traffic.forward.bytes,
    bytesBack: traffic.back.bytes,
    bytesRetransmission: figures.bytesRetransmission,
    bytesRepair: figures.bytesRepair,
    bytesWasted: figures.bytesWasted,
    datagramsForward: traffic.forward.datagrams,
    datagramsBack: traffic.back.datagrams,
    goodput: seconds === 0 ? 0 : Math.round((good * 8) / seconds),
    overheadForward: all === 0 ? 0 : traffic.forward.bytes / all - 1,
    overheadBack: share(traffic.back.bytes, all),
    overhead: all === 0 ? 0 : (traffic.forward.bytes + traffic.back.bytes) / all - 1,
    wasteRatio: share(figures.bytesWasted, spent),
  };
}

/** Time from the first sign of a loss in a frame until the frame was complete. */
function recoveryLatency(frames: FrameTable, from: number) {
  const spans: Record<'retransmission' | 'repair' | 'both', number[]> = { retransmission: [], repair: [], both: [] };
  for (let row = from; row < frames.length; row++) {
    const mechanism: Mechanism = frames.mechanism(row);
    if (mechanism === 'none' || mechanism === 'transport') continue;
    const completeAt = frames.time(row, 'completeAt');
    const seenAt = frames.time(row, 'lossSeenAt');
    // Completed by repair before the loss was noticed.
    spans[mechanism].push(Number.isNaN(seenAt) ? 0 : Math.max(0, completeAt - seenAt));
  }
  const of = (values: Sorted) => ({ p50: percentile(values, 0.5), p95: percentile(values, 0.95) });
  const retransmission = of(sorted(spans.retransmission));
  const repair = of(sorted(spans.repair));
  const both = of(sorted(spans.both));
  return {
    recoveredRetransmission: spans.retransmission.length,
    recoveredRepair: spans.repair.length,
    recoveredBoth: spans.both.length,
    recoveryUsP50Retransmission: retransmission.p50,
    recoveryUsP95Retransmission: retransmission.p95,
    recoveryUsP50Repair: repair.p50,
    recoveryUsP95Repair: repair.p95,
    recoveryUsP50Both: both.p50,
    recoveryUsP95Both: both.p95,
  };
}

const share = (part: number, of: number): number => (of === 0 ? 0 : part / of);
