import { basename } from 'node:path';
import { openDrawer } from '../report/draw-plot.ts';
import { inlineDrawing, pageColors } from '../report/inline-drawing.ts';
import { html, Markup } from '../report/markup.ts';
import type { Plot } from '../report/plot.ts';
import { styleSheet } from '../report/report-style.ts';
import { COLOR, COLOR_DARK, captureDelayPlot, captureRunPlot } from './capture-plots.ts';
import type { CaptureResult } from './capture-result.ts';
import type { OpenedCapture } from './open-capture.ts';

/** A page that loads nothing: the fit of a capture, with measured and fitted distributions. */
export async function capturePage(
  files: readonly string[],
  { observation, stream, warnings }: OpenedCapture,
  { fit, findings, untold, line, check }: CaptureResult,
): Promise<string> {
  const colors = [...pageColors([]), { property: '--fitted', light: COLOR, dark: COLOR_DARK }];
  const drawer = await openDrawer();
  const figure = async (plot: Plot): Promise<Markup> => {
    const draw = async (layout: 'wide' | 'narrow') => {
      const id = `${plot.name}-${layout}`;
      const { title, alternative } = plot;
      return inlineDrawing(await drawer.draw(plot, layout), { id, title, alternative, className: layout }, colors);
    };
    return html`<section><h2>${plot.title}</h2><figure>${await draw('wide')}${await draw('narrow')}
<figcaption>${plot.caption} ${plot.alternative}</figcaption></figure></section>
`;
  };
  const figures: Markup[] = [];
  for (const plot of [captureDelayPlot(check), captureRunPlot(check)]) if (plot) figures.push(await figure(plot));
  const names = files.map((file) => basename(file)).join(' and ');
  const ends = observation.sides === 'two' ? 'captured at both ends' : 'captured at one end';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${names} – dropframe</title>
<style>${new Markup(styleSheet(colors))}</style>
</head>
<body>
<main>
<header>
<p class="name">dropframe laboratory · capture · stream 0x${stream.ssrc.toString(16).padStart(8, '0')}</p>
<h1>${names}</h1>
</header>
<section class="answer" aria-label="Answer">
<p>${fit.loss.packets} packets in ${fit.seconds.toFixed(1)} s, ${ends}. The link that describes them:</p>
<p><code>${line}</code></p>
</section>
${figures}
<section>
<h2>Measured</h2>
<div class="scroll"><table>
<thead><tr><th class="text">quantity</th><th>value</th><th>95 % interval</th><th class="text">note</th></tr></thead>
<tbody>${findings.map(
    ({ name, value, interval, note }) =>
      html`<tr><th class="text">${name}</th><td>${value}</td><td>${interval}</td><td class="text">${note}</td></tr>
`,
  )}</tbody>
</table></div>
<h2>Not told by the capture</h2>
<ul>${[...untold, ...warnings].map((each) => html`<li>${each}</li>`)}</ul>
</section>
</main>
</body>
</html>
`.text;
}
