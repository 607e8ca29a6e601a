const BITS = /\b(rate|cross)=(\d+)bit\b/g;
const BYTES = /\b(queue=(?:[^\s/]+\/)*)(\d+)b(?=[\s/]|$)/g;
const PERCENT = /(\d+\.\d{3,})%/g;
const SYMMETRIC = /\bdelay=(\S+) jitter=(\S+) dist=symmetric\b/g;
const BIT_UNITS = [
  [1_000_000_000, 'gbit'],
  [1_000_000, 'mbit'],
  [1_000, 'kbit'],
  [1, 'bit'],
] as const;
const BYTE_UNITS = [
  [1_000_000, 'MB'],
  [1_000, 'kB'],
  [1, 'B'],
] as const;
/** Percentage from which a fraction that does not end is shown without decimals. */
const WHOLE_PERCENT_MIN = 10;

/**
 * Returns a link's canonical text in people's units: `rate=10mbit` for `rate=10000000bit`, `queue=200kB`, `delay=30ms±4ms`, and shares
 * with at most two decimals. It parses to the same link, but for what rounding takes away.
 */
export function readableLink(text: string): string {
  return text
    .replaceAll(SYMMETRIC, 'delay=$1±$2')
    .replaceAll(BITS, (_, name: string, bits: string) => `${name}=${inUnits(Number(bits), BIT_UNITS)}`)
    .replaceAll(BYTES, (_, name: string, bytes: string) => name + inUnits(Number(bytes), BYTE_UNITS))
    .replaceAll(PERCENT, (whole, value: string) => {
      const rounded = +Number(value).toFixed(Number(value) < WHOLE_PERCENT_MIN ? 2 : 0);
      // A small share is not rounded to nothing.
      return rounded === 0 ? whole : `${rounded}%`;
    });
}

function inUnits(count: number, units: readonly (readonly [size: number, name: string])[]): string {
  // A unit in which the count would be read as another one is left out.
  const [size, name] = units.find(([one]) => count >= one && (count / one) * one === count) ?? units.at(-1)!;
  return `${count / size}${name}`;
}
