import { html, type Markup } from './markup.ts';
import { grouped, millisecondsText, percentText } from './quantity-text.ts';
import { type Case, caseName } from './reference-case.ts';
import { soundOf } from './sound-point.ts';

const HEADS = [
  'strategy',
  'units of sound',
  'concealed',
  '95 % interval',
  'gaps',
  'mean gap',
  'longest',
  'sync error p50',
  'p95',
  'p99',
  'protection',
] as const;

/** Table of the sound in the case of the answer; empty without sound. */
export function soundTable(shown: Case): Markup | string {
  const lines = shown.points.flatMap((point) => {
    const sound = soundOf(point);
    return sound ? [{ strategy: point.strategy, sound }] : [];
  });
  if (lines.length === 0) return '';
  return html`<h3>Sound</h3>
<div class="scroll" tabindex="0" role="region" aria-label="The sound in the case of the answer">
<table>
<thead><tr>${HEADS.map((head, index) => html`<th scope="col"${index === 0 ? html` class="text"` : ''}>${head}</th>`)}</tr></thead>
<tbody>
<tr class="path"><th colspan="${HEADS.length}" scope="rowgroup">${caseName(shown)}</th></tr>
${lines.map(({ strategy, sound }) => {
  const { units, share, gaps, gapMsMean, gapMsMax, syncMsP50, syncMsP95, syncMsP99, protection } = sound;
  const cells = [
    grouped(units),
    percentText(share.value),
    `${percentText(share.low)} – ${percentText(share.high)}`,
    grouped(gaps),
    ...[gapMsMean, gapMsMax, syncMsP50, syncMsP95, syncMsP99].map(millisecondsText),
    percentText(protection),
  ];
  return html`<tr><th scope="row" class="text">${strategy}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`;
})}</tbody>
</table>
</div>
`;
}
