import { DEFINITIONS } from './definitions.ts';
import type { PageColor } from './inline-drawing.ts';
import { html, Markup } from './markup.ts';
import type { OperatingPoint } from './operating-point.ts';
import type { Plot } from './plot.ts';
import type { Case } from './reference-case.ts';
import { answerOf } from './report-answer.ts';
import { styleSheet } from './report-style.ts';
import { pointTables } from './report-table.ts';
import type { ReportTables } from './report-tables.ts';
import { soundTable } from './sound-table.ts';
import type { StrategyStyle } from './strategy-style.ts';

/** A plot in the page: one drawing for wide screens and paper, one for narrow screens. */
export interface Drawing {
  readonly plot: Plot;
  readonly wide: Markup;
  readonly narrow: Markup;
}

/** Builds the page: a single file that loads nothing. */
export function reportPage(
  tables: ReportTables,
  content: {
    readonly points: readonly OperatingPoint[];
    readonly shown: Case | undefined;
    readonly drawings: readonly Drawing[];
    readonly styles: readonly StrategyStyle[];
    readonly colors: readonly PageColor[];
  },
): string {
  const { points, shown, drawings, styles, colors } = content;
  const answer = answerOf(points, shown);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${tables.question || tables.name} – dropframe</title>
<style>${new Markup(styleSheet(colors))}</style>
</head>
<body>
<main>
<header>
<p class="name">dropframe laboratory · ${tables.name} · run ${tables.runId.slice(0, 12)}</p>
<h1>${tables.question || tables.name}</h1>
</header>
<section class="answer" aria-label="Answer">
${answer.length > 0 ? answer.map((sentence) => html`<p>${sentence}</p>`) : html`<p>No cell of this scenario is finished.</p>`}
</section>
${drawings.slice(0, 1).map(figureOf)}
<section>
<h2>Results</h2>
${shown ? pointTables(points, shown, { styles, colors }) : html`<p>None: no cell of this scenario is finished.</p>`}
${shown ? soundTable(shown) : ''}</section>
${drawings.slice(1).map(figureOf)}
<section>
<h2>Scenario</h2>
<dl>
${tables.scenario.map(
  ([
    name,
    lines,
  ]) => html`<dt>${name}</dt><dd>${lines.map((line, index) => html`${index > 0 ? html`<br>` : ''}<code>${line}</code>`)}</dd>
`,
)}</dl>
</section>
<section>
<h2>How to reproduce</h2>
<pre tabindex="0">${tables.commands.join('\n')}</pre>
<dl>
<dt>run</dt><dd><code>${tables.runId}</code></dd>
${Object.entries(tables.versions).map(
  ([name, version]) => html`<dt>${name}</dt><dd>${version}</dd>
`,
)}</dl>
<p style="margin-top:12px">The run id is the hash of its scenario: the same scenario gives the same figures on every machine. manifest.json names the machine.</p>
</section>
<section>
<h2>Definitions</h2>
<dl>
${DEFINITIONS.map(
  ([name, meaning]) => html`<dt>${name}</dt><dd>${meaning}</dd>
`,
)}</dl>
</section>
</main>
</body>
</html>
`;
  return page.text;
}

function figureOf({ plot, wide, narrow }: Drawing): Markup {
  const file = (ending: string) => html`<a href="plots/${plot.name}${ending}">${ending.slice(1)}</a>`;
  return html`<section>
<h2>${plot.title}</h2>
<figure>
${wide}
${narrow}
<figcaption>${plot.caption} <span class="files">Files: ${file('.csv')}, ${file('.vl.json')}, ${file('.svg')}.</span></figcaption>
</figure>
</section>
`;
}
