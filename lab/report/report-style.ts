import type { PageColor } from './inline-drawing.ts';

/** Style sheet of the page: dark or light by the reader's preference, white in print, nothing loaded. */
export function styleSheet(colors: readonly PageColor[]): string {
  const light = colors.map(({ property, light }) => `${property}:${light}`).join(';');
  const dark = colors.map(({ property, dark }) => `${property}:${dark}`).join(';');
  return `
:root{color-scheme:light dark;${light};--raised:#f6f7f9;--accent:#0060a0}
@media screen and (prefers-color-scheme:dark){:root{${dark};--raised:#1c2027;--accent:#7cc0f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--surface);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif}
main{max-width:1052px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 8px;text-wrap:balance}
h2{font-size:1.25rem;line-height:1.3;margin:48px 0 12px}
p{margin:0 0 12px;max-width:46rem}
.name{color:var(--muted);font-size:.9rem;margin:0 0 6px;overflow-wrap:anywhere}
.answer{border-left:4px solid var(--accent);background:var(--raised);padding:14px 18px;margin:20px 0;max-width:none}
.answer p{max-width:52rem;margin:0}
.answer p+p{margin-top:8px}
figure{margin:0 0 8px}
figcaption{color:var(--muted);font-size:.9rem;line-height:1.5;margin-top:10px;max-width:52rem}
figcaption a,.files a{color:var(--accent)}
svg{display:block;max-width:100%;height:auto}
svg.narrow{display:none}
svg.swatch{display:inline-block;vertical-align:-1px;margin-right:7px}
.scroll{overflow-x:auto;margin:0 -4px;padding:0 4px}
table{border-collapse:collapse;font-size:.78rem;font-variant-numeric:tabular-nums;width:100%}
.note{color:var(--muted);font-size:.9rem;line-height:1.5;max-width:52rem}
.unit{color:var(--muted);font-weight:400}
details{margin-top:16px}
summary{cursor:pointer;color:var(--accent);padding:6px 0}
th,td{padding:5px;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap;vertical-align:top}
thead th{border-bottom:2px solid var(--muted);vertical-align:bottom;white-space:normal;font-weight:600}
tbody th{font-weight:500}
th.text,td.text{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:6.5rem}
tr.path th{background:var(--raised);text-align:left;font-weight:600;white-space:normal;overflow-wrap:anywhere}
tr.best td,tr.best th{font-weight:700}
dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:8px 20px;margin:0;font-size:.9375rem}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere}
code,pre{font:.85em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
pre{background:var(--raised);padding:12px 14px;margin:0 0 12px;overflow-x:auto}
a:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media(max-width:640px){
th.text{position:sticky;left:0;min-width:9.5rem;background:var(--surface)}
main{padding:20px 16px 48px}
h1{font-size:1.5rem}
svg.wide{display:none}
svg.narrow{display:block}
dl{grid-template-columns:1fr;gap:2px}
dd{margin-bottom:10px}
}
@media print{
main{max-width:none;padding:0}
body{font-size:10.5pt}
h2{break-after:avoid;margin-top:24pt}
figure,.answer,tr{break-inside:avoid}
.scroll,pre{overflow:visible}
pre{white-space:pre-wrap}
svg.wide{display:block}
svg.narrow{display:none}
table{font-size:6.5pt}
th,td{padding:2pt 2.5pt}
th.text,td.text{min-width:4.5rem}
}
@page{margin:14mm}
`.trim();
}
