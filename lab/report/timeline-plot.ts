import type { FrameOutcome, FrameRecord } from '../tables.ts';
import { type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth, smallPanelColumns } from './plot.ts';
import { chosenBy } from './plot-theme.ts';
import { type Case, caseName } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/** Outcome of a frame, as labelled in the plot. */
export type DisplayedClass = 'on time' | 'recovered' | 'late' | 'lost';

/** Color on light and dark backgrounds, and marker, of each outcome. */
export const OUTCOME_STYLES: readonly {
  readonly outcome: DisplayedClass;
  readonly color: string;
  readonly colorDark: string;
  readonly marker: string;
}[] = [
  { outcome: 'on time', color: '#5b7c99', colorDark: '#8fb2d1', marker: 'circle' },
  { outcome: 'recovered', color: '#00805c', colorDark: '#34cfa0', marker: 'diamond' },
  { outcome: 'late', color: '#c06a00', colorDark: '#ffb454', marker: 'triangle-right' },
  {
    outcome: 'lost',
    color: '#c2261c',
    colorDark: '#ff7b72',
    marker: 'M-1,-.6L-.6,-1L0,-.4L.6,-1L1,-.6L.4,0L1,.6L.6,1L0,.4L-.6,1L-1,.6L-.4,0Z',
  },
];

const OUTCOMES: Readonly<Record<FrameOutcome, DisplayedClass>> = {
  onTime: 'on time',
  recovered: 'recovered',
  late: 'late',
  mended: 'late',
  overdue: 'late',
  incomplete: 'lost',
  neverArrived: 'lost',
  undecodable: 'lost',
  refused: 'lost',
};

/** Number of frames drawn before the loss, and from it on. */
const BEFORE = 4;
const FROM = 22;

/**
 * Frames around a loss, one panel per strategy and one line per frame, from capture until decodable. Shows the loss
 * with the worst consequences over all strategies.
 */
export function timelinePlot(
  shown: Case | undefined,
  frames: (cell: string) => readonly FrameRecord[] | undefined,
): Plot | undefined {
  if (!shown) return undefined;
  // One seed, on which all strategies see the same outages.
  const seed = shown.points[0]!.rows[0]!.seed;
  const lanes = shown.points.flatMap((point) => {
    const row = point.rows.find((each) => each.seed === seed);
    const records = row && frames(row.cell);
    return records && records.length > 0 ? [{ strategy: point.strategy, records }] : [];
  });
  if (lanes.length === 0) return undefined;
  const { budgetMs } = shown;
  const center = busiest(
    lanes.map(({ records }) => records),
    budgetMs,
  );
  if (center === undefined) return undefined;
  const rows: PlotRow[] = [];
  for (const { strategy, records } of lanes) {
    for (const record of records) {
      if (record.frame < center - BEFORE || record.frame >= center + FROM) continue;
      rows.push({
        strategy,
        ...lineOf(record, budgetMs),
        frame: record.frame - center,
        number: record.frame,
        budgetMs,
      });
    }
  }
  const styles = strategyStyles(lanes.map(({ strategy }) => strategy));
  const longest = Math.max(budgetMs, ...rows.map(({ endMs }) => (typeof endMs === 'number' ? endMs : 0)));
  const numbers = rows.map(({ frame }) => Number(frame));
  const extent = [Math.min(...numbers) - 0.8, Math.max(...numbers) + 0.8];
  const spec = (layout: Layout): PlotSpec => {
    const columns = smallPanelColumns(layout, styles.length);
    const domain = OUTCOME_STYLES.map(({ outcome }) => outcome);
    const x = {
      field: 'endMs',
      type: 'quantitative',
      title: 'ms after capture',
      scale: { domain: [0, longest * 1.06], nice: false },
      axis: { tickCount: 4, format: ',.4~g' },
    };
    const y = {
      field: 'frame',
      type: 'quantitative',
      title: layout === 'wide' ? 'frame, from the loss' : 'frame',
      scale: { domain: extent, reverse: true, nice: false },
      axis: { tickCount: 6, format: 'd', grid: false },
    };
    const channel = (range: readonly string[]) => ({
      field: 'outcome',
      type: 'nominal',
      scale: { domain, range },
      legend: { columns: 4, symbolOpacity: 1, symbolStrokeWidth: 0 },
    });
    const stroke = chosenBy(
      'outcome',
      OUTCOME_STYLES.map(({ outcome, color }) => [outcome, color]),
    );
    return {
      facet: { field: 'strategy', type: 'nominal', sort: styles.map(({ name }) => name) },
      columns,
      spacing: layout === 'wide' ? 20 : 12,
      spec: {
        width: panelWidth(layout, columns),
        height: layout === 'wide' ? 250 : 210,
        layer: [
          {
            mark: { type: 'rule', strokeDash: [3, 3], stroke: LIGHT.muted },
            transform: [{ aggregate: [{ op: 'max', field: 'budgetMs', as: 'budgetMs' }] }],
            encoding: { x: { ...x, field: 'budgetMs' } },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
            encoding: { x: { ...x, field: 'startMs' }, x2: { field: 'endMs' }, y, stroke },
          },
          {
            mark: { type: 'tick', thickness: 1.5, size: 7, stroke: LIGHT.ink, orient: 'vertical' },
            encoding: { x: { ...x, field: 'completeMs' }, y },
          },
          {
            mark: { type: 'point', size: 34, opacity: 1, strokeWidth: 0 },
            encoding: {
              x,
              y,
              fill: channel(OUTCOME_STYLES.map((style) => style.color)),
              shape: channel(OUTCOME_STYLES.map((style) => style.marker)),
              description: { field: 'label', type: 'nominal' },
            },
          },
        ],
      },
    };
  };
  const counts = styles.map(({ name }) => {
    const of = rows.filter(({ strategy }) => strategy === name);
    const outcomes = OUTCOME_STYLES.map(
      ({ outcome }) => `${of.filter((row) => row.outcome === outcome).length} ${outcome}`,
    );
    return `${name}: ${outcomes.join(', ')}`;
  });
  return {
    name: 'timeline',
    title: 'Frames after a loss',
    caption:
      `${BEFORE} frames before a loss and ${FROM} from it on; ${caseName(shown)}, seed ${seed}. Each line is a frame, ` +
      'from its transmission until it was decodable (marker); a tick marks its completion when that was earlier. The ' +
      'dashed line is the budget; a frame that never became decodable has a cross there. Among the losses of this seed, ' +
      'this is the one with the most recovered, late or lost frames after it, with rare events of a strategy weighted more.',
    alternative: `Frames around the loss at frame ${center}, seed ${seed}. ${counts.join('. ')}.`,
    rows,
    spec,
  };
}

function lineOf(record: FrameRecord, budgetMs: number) {
  const since = (instant: number | null) => (instant === null ? null : (instant - record.capturedAt) / 1_000);
  const completeMs = since(record.completeAt);
  const decodableMs = since(record.decodableAt);
  const outcome = outcomeOf(record, budgetMs);
  const at = decodableMs === null ? 'never decodable' : `decodable after ${decodableMs.toFixed(1)} ms`;
  return {
    startMs: since(record.sentAt) ?? 0,
    endMs: decodableMs ?? budgetMs,
    completeMs: completeMs !== null && decodableMs !== null && completeMs < decodableMs ? completeMs : null,
    decodableMs,
    renderedMs: since(record.renderedAt),
    outcome,
    class: record.class,
    mechanism: record.mechanism,
    label: `frame ${record.frame}, ${outcome}: ${at}`,
  };
}

/** The budget decides between late and lost, whatever the receiver's deadline was. */
function outcomeOf(record: FrameRecord, budgetMs: number): DisplayedClass {
  if (record.decodableAt === null) return 'lost';
  if (record.decodableAt - record.capturedAt > budgetMs * 1_000) return 'late';
  const outcome = OUTCOMES[record.class];
  // A reliable transport does not report its repairs; a TCP frame shows them by its delay.
  const repaired = record.mechanism !== 'none' && record.mechanism !== 'transport';
  return outcome === 'recovered' || repaired ? 'recovered' : 'on time';
}

/** Weight of each frame relative to the one before, so that the plot starts at the loss. */
const FADING = 0.85;

/**
 * Returns the frame with the worst consequences over all strategies; `undefined` without any. Rare events of a strategy
 * have more weight; otherwise a strategy with constant losses would dominate.
 */
function busiest(lanes: readonly (readonly FrameRecord[])[], budgetMs: number): number | undefined {
  const trouble = new Map<number, number>();
  for (const records of lanes) {
    const troubled = records.filter((record) => outcomeOf(record, budgetMs) !== 'on time');
    for (const { frame } of troubled) trouble.set(frame, (trouble.get(frame) ?? 0) + 1 / troubled.length);
  }
  let chosen: number | undefined;
  let most = 0;
  for (const frame of [...trouble.keys()].sort((a, b) => a - b)) {
    let following = 0;
    let weight = 1;
    for (let offset = 0; offset < FROM; offset++, weight *= FADING)
      following += weight * (trouble.get(frame + offset) ?? 0);
    if (following > most * (1 + 1e-9)) {
      chosen = frame;
      most = following;
    }
  }
  return chosen;
}
