/** `0.0213` as `2.13 %`: three digits that count; a dash for what is not known. */
export function percentText(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return '–';
  if (!Number.isFinite(share)) return '∞';
  return `${digits(share * 100)} %`;
}

/** Milliseconds with their unit; `∞` for what never came. */
export function millisecondsText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return '∞';
  return `${grouped(Math.abs(value) < 10 ? Number(value.toFixed(1)) : Math.round(value))} ms`;
}

/** `12345` as `12,345`, the same on every machine. */
export function grouped(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  return grouped(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
