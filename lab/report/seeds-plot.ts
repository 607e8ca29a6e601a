import { type Layout, type Plot, type PlotRow, type PlotSpec, panelWidth } from './plot.ts';
import { missFloor, missScale, strategyScales } from './plot-theme.ts';
import { percentText } from './quantity-text.ts';
import { type Case, caseName } from './reference-case.ts';
import { LIGHT, strategyStyles } from './strategy-style.ts';

/** Miss ratio per seed next to the pooled ratio and its interval: the variation by chance. */
export function seedsPlot(shown: Case | undefined): Plot | undefined {
  if (!shown?.points.some(({ rows }) => rows.length > 1)) return undefined;
  const floor = missFloor(Math.max(...shown.points.map(({ frames }) => frames)));
  const rows: PlotRow[] = shown.points.flatMap((point) => {
    const shares = point.rows.flatMap((row) => (row.frames > 0 ? [1 - row.framesInTime / row.frames] : []));
    if (shares.length === 0) return [];
    const { value, low, high } = point.misses;
    const best = Math.min(...shares);
    const worst = Math.max(...shares);
    const drawn = (share: number) => Math.max(floor, share);
    const pooled = {
      strategy: point.strategy,
      seed: null,
      misses: value,
      low,
      high,
      drawn: drawn(value),
      drawnLow: drawn(low),
      drawnHigh: drawn(high),
      label: `${point.strategy}: ${percentText(value)}, 95 % interval ${percentText(low)} to ${percentText(high)}, best seed ${percentText(best)}, worst ${percentText(worst)}`,
    };
    const each = point.rows.flatMap((row) => {
      const share = 1 - row.framesInTime / row.frames;
      return row.frames > 0
        ? [
            {
              ...{ strategy: point.strategy, seed: row.seed, misses: share, low: null, high: null },
              ...{ drawn: drawn(share), drawnLow: null, drawnHigh: null },
              label: `${point.strategy}, seed ${row.seed}: ${percentText(share)}`,
            },
          ]
        : [];
    });
    return [pooled, ...each];
  });
  const styles = strategyStyles(shown.points.map(({ strategy }) => strategy));
  const spec = (layout: Layout): PlotSpec => {
    const scales = strategyScales(styles, layout, false);
    const { scale, axis } = missScale(floor);
    const x = {
      field: 'drawn',
      type: 'quantitative',
      title: 'frames missed (right is better)',
      scale,
      axis,
    };
    const y = {
      field: 'strategy',
      type: 'nominal',
      sort: styles.map(({ name }) => name),
      title: null,
      axis: { ticks: false, domain: false },
    };
    const description = { field: 'label', type: 'nominal' };
    return {
      width: panelWidth(layout, 1) - 16,
      height: 34 * styles.length,
      layer: [
        {
          transform: [{ filter: '!isValid(datum.seed)' }],
          mark: { type: 'rule', strokeWidth: 7, opacity: 0.3 },
          encoding: { x: { ...x, field: 'drawnLow' }, x2: { field: 'drawnHigh' }, y, stroke: scales.stroke },
        },
        {
          transform: [{ filter: 'isValid(datum.seed)' }],
          mark: { type: 'tick', thickness: 1.2, size: 18, stroke: LIGHT.ink, opacity: 0.7, orient: 'vertical' },
          encoding: { x, y, description },
        },
        {
          transform: [{ filter: '!isValid(datum.seed)' }],
          mark: { type: 'point', size: 80, strokeWidth: 1.6, opacity: 1 },
          encoding: { x, y, stroke: scales.stroke, fill: scales.fill, shape: scales.shape, description },
        },
      ],
    };
  };
  const pooled = rows.filter(({ seed }) => seed === null);
  return {
    name: 'seeds',
    title: 'Variation between seeds',
    caption:
      `Frames missed by each seed (thin strokes), by all seeds together (marker), with the 95 % interval (band); ${caseName(shown)}. ` +
      'The outermost strokes are the best and worst seeds. All strategies use the paths of the ' +
      'same seeds, so differences between them are more certain than the bands suggest.',
    alternative: `Frames missed by seed. ${pooled.map(({ label }) => label).join('. ')}.`,
    rows,
    spec,
  };
}
