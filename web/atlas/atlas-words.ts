import { type AtlasAxisName, type AtlasPoint, placeOf, placeWords } from '../../protocol/page/atlas-axes.ts';
import type { AtlasRow } from '../../protocol/page/atlas-cell.ts';
import type { AtlasManifest } from '../../protocol/page/atlas-manifest.ts';
import { cheapestOfBest, type PointRows } from './atlas-data.ts';

/** Names of the axes on the page. */
export const AXIS_NAMES: { readonly [Name in AtlasAxisName]: string } = {
  loss: 'Loss',
  burst: 'Mean run of losses',
  rtt: 'Round trip',
  jitter: 'Jitter',
  budget: 'Budget',
  rate: 'Capacity',
};

/** Formats a value of an axis with its unit. */
export function valueText(name: AtlasAxisName, value: number): string {
  switch (name) {
    case 'loss':
      return `${value} %`;
    case 'burst':
      return value === 1 ? '1 packet' : `${value} packets`;
    case 'rate':
      return value === 0
        ? 'unlimited'
        : value >= 1_000
          ? `${Number((value / 1_000).toPrecision(3))} Mb/s`
          : `${value} kb/s`;
    default:
      return `${value} ms`;
  }
}

/** Formats a share as percent with the digits that its size needs. */
export function shareText(share: number): string {
  const percent = share * 100;
  return `${percent.toFixed(Math.abs(percent) < 10 ? 2 : 1)} %`;
}

/** Overhead beyond the least, percentage points. */
export const aboveLeast = ({ overhead, leastOverhead }: AtlasRow): number | undefined =>
  overhead === null || leastOverhead === null ? undefined : (overhead - leastOverhead) * 100;

/** Says which strategy is best at a point, at which price, and how far it is from the limit. */
export function verdictText(rows: PointRows): string {
  const { row, tied } = cheapestOfBest(rows);
  const missed = `${shareText(1 - row.inTime)} of the frames not in time`;
  const price = row.overhead === null ? '' : `, ${shareText(row.overhead)} more bytes than the stream has`;
  const least = aboveLeast(row);
  const limit = least === undefined ? '' : `; the least possible is ${shareText(row.leastOverhead!)}`;
  if (rows.length === 1) return `${row.strategy}, the only one of this atlas: ${missed}${price}${limit}.`;
  if (row.standing === 'best') return `${row.strategy} is best: ${missed}${price}${limit}.`;
  if (tied === rows.length) {
    return `The strategies cannot be told apart; ${row.strategy} is the cheapest: ${missed}${price}${limit}.`;
  }
  return `A tie of ${tied}; ${row.strategy} is the cheapest of them: ${missed}${price}${limit}.`;
}

/** The line that answers the same question anew, with the same figures. */
export function commandText(manifest: AtlasManifest, point: AtlasPoint): string {
  const { axes, strategies, stream, until, seedsMax } = manifest;
  const { kbps, fps, keys, seconds } = stream;
  const names = strategies.map(({ name }) => name).join(' ');
  const words = [...placeWords(placeOf(axes, point)), `kbps=${kbps} fps=${fps} keys=${keys} seconds=${seconds}`];
  return `dropframe lab ask "${names}" ${words.join(' ')} --until ${until * 100}pp --seeds-max ${seedsMax}`;
}
