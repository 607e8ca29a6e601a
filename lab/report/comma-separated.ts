import type { PlotRow, PlotValue } from './plot.ts';

/** Formats rows as CSV with a header (RFC 4180); `null` is an empty field. */
export function commaSeparated(rows: readonly PlotRow[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => names.map((name) => field(row[name] ?? null)).join(','));
  return `${[names.map(field).join(','), ...lines].join('\r\n')}\r\n`;
}

function field(value: PlotValue): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
