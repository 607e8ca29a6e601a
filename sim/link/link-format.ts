import { microseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK, UNLIMITED } from './clean-link.ts';
import type { LinkSpecification } from './link-specification.ts';
import { asShare, asTime, formatDelayQuantiles } from './link-values.ts';
import { formatLossModel, quoted } from './loss/loss-words.ts';
import { formatNetemParameters } from './netem/netem-parameters.ts';
import { formatDiscipline } from './queue/discipline-words.ts';
import { OPPORTUNITY_BYTES } from './stages/capacity-trace.ts';

/** Writers of all values except the loss model's, in canonical order. */
const WORDS: readonly (readonly [name: string, write: (link: LinkSpecification) => string])[] = [
  ['position', (link) => link.lossPosition ?? 'post'],
  ['outage', (link) => link.outages?.map(({ from, until }) => `${asTime(from)}-${asTime(until)}`).join('/') ?? 'none'],
  ['delay', (link) => asTime(link.delay)],
  ['jitter', (link) => asTime(link.jitter)],
  ['dist', (link) => link.jitterDistribution ?? 'uniform'],
  ['quantiles', (link) => (link.quantiles ? formatDelayQuantiles(link.quantiles) : 'none')],
  ['order', (link) => link.order],
  ['fifo-jitter', (link) => asTime(link.fifoJitter ?? microseconds(0))],
  ['slip', (link) => (link.slip ? `${asShare(link.slip.share)}/${link.slip.packets}` : 'none')],
  ['dup', (link) => asShare(link.duplicate)],
  ['corrupt', (link) => asShare(link.corrupt)],
  ['rate', (link) => `${link.rate}bit`],
  ['trace', (link) => (link.capacity ? quoted(`${link.capacity.name}#${link.capacity.hash}`) : 'none')],
  ['opportunity', (link) => `${link.capacity?.opportunityBytes ?? OPPORTUNITY_BYTES}b`],
  ['queue', writeQueue],
  ['qdisc', (link) => formatDiscipline(link.discipline)],
  ['cross', writeCross],
];

function writeCross({ cross }: LinkSpecification): string {
  if (!cross) return 'none';
  return 'rate' in cross ? `${cross.rate}bit` : `tcp-${cross.congestionControl}`;
}

function writeQueue(link: LinkSpecification): string {
  const limits: string[] = [];
  if (link.queue !== UNLIMITED) limits.push(asTime(link.queue));
  if (link.queueBytes !== undefined) limits.push(`${link.queueBytes}b`);
  if (link.queuePackets !== undefined) limits.push(`${link.queuePackets}p`);
  return limits.length > 0 ? limits.join('/') : 'none';
}

/**
 * Formats a link in its canonical one-line form: all fields that differ from a clean link, in a fixed order, then the
 * seed.
 */
export function formatLinkSpecification(link: LinkSpecification): string {
  const seed = `seed=${link.seed}`;
  if (link.netem) return `netem="${formatNetemParameters(link.netem)}" ${seed}`;
  const words = differences(CLEAN_LINK, link, link.rate > 0 || link.capacity !== undefined);
  words.push(seed);
  let before = link;
  for (const change of link.changes ?? []) {
    words.push(`at ${asTime(change.at)}:`, ...differences(before, change.link));
    before = change.link;
  }
  return words.join(' ');
}

/** Returns the words that turn link `before` into `link`. */
export function differences(before: LinkSpecification, link: LinkSpecification, withQueue = false): string[] {
  const words = lossDifferences(before, link);
  for (const [name, write] of WORDS) {
    const value = write(link);
    if (value !== write(before) || (withQueue && name === 'queue')) words.push(`${name}=${value}`);
  }
  return words;
}

function lossDifferences(before: LinkSpecification, link: LinkSpecification): string[] {
  if (lossText(before) === lossText(link)) return [];
  if (link.lossModel) return formatLossModel(link.lossModel);
  const words = [`loss=${asShare(link.loss)}`];
  const burstBefore = before.lossModel ? 1 : burstOf(before);
  if (burstOf(link) !== burstBefore) words.push(`burst=${burstOf(link)}`);
  return words;
}

/** A burst is at least one datagram long. */
const burstOf = (link: LinkSpecification): number => Math.max(1, link.burst);

const lossText = (link: LinkSpecification): string =>
  link.lossModel ? formatLossModel(link.lossModel).join(' ') : `${asShare(link.loss)} ${burstOf(link)}`;
