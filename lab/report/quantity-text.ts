/** Formats `0.0213` as `2.13 %`, with three significant digits; a dash when unknown. */
export function percentText(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return '–';
  if (!Number.isFinite(share)) return '∞';
  return `${digits(share * 100)} %`;
}

/** Formats milliseconds with unit; `∞` for infinity. */
export function millisecondsText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return '∞';
  return `${grouped(Math.abs(value) < 10 ? Number(value.toFixed(1)) : Math.round(value))} ms`;
}

/** Formats `12345` as `12,345`, independent of the locale. */
export function grouped(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  return grouped(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
