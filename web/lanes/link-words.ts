const BITS = /\b(rate|cross)=(\d+)bit\b/g;
const PERCENT = /(\d+\.\d{3,})%/g;
const SYMMETRIC = /\bdelay=(\S+) jitter=(\S+) dist=symmetric\b/g;
const UNITS = [
  [1_000_000_000, 'gbit'],
  [1_000_000, 'mbit'],
  [1_000, 'kbit'],
] as const;

/**
 * Returns a link's canonical text in people's units: `rate=10mbit` for `rate=10000000bit`, `delay=30ms±4ms`, and shares with at most two
 * decimals. It parses to the same link, but for what rounding takes away.
 */
export function readableLink(text: string): string {
  return text
    .replaceAll(SYMMETRIC, 'delay=$1±$2')
    .replaceAll(BITS, (_, name: string, bits: string) => `${name}=${readableRate(Number(bits))}`)
    .replaceAll(PERCENT, (whole, value: string) => {
      const rounded = +Number(value).toFixed(2);
      // A small share is not rounded to nothing.
      return rounded === 0 ? whole : `${rounded}%`;
    });
}

function readableRate(bits: number): string {
  const [size, unit] = UNITS.find(([one]) => bits >= one) ?? [1, 'bit'];
  return `${bits / size}${unit}`;
}
