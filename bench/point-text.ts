import { InvalidArgumentError } from 'commander';
import { inMilliseconds } from '../protocol/base/units.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { BenchPoint } from './point.ts';

/** Words of a point that are not words of a link. */
const WORDS = { budget: 'budgetMs', fps: 'framesPerSecond', packets: 'packets', key: 'keyPackets' } as const;

const FORM = 'expected a link and a budget, such as "loss=5% delay=25ms budget=150 fps=30 packets=12; back delay=25ms"';

/**
 * Reads a point of one's own: words of a link (docs/LINK.md), `budget` in milliseconds, `fps`, `packets` per frame and
 * `key` packets per key frame; behind `; back` the other direction, the same by default.
 */
export function readPoint(text: string): BenchPoint {
  const numbers: { -readonly [Word in (typeof WORDS)[keyof typeof WORDS]]?: number } = {};
  const [forwardText = '', backText] = text.split(/;\s*back\b/);
  const words = forwardText.split(/\s+/).filter((word) => {
    const [, name, value] = /^(budget|fps|packets|key)=(.*)$/.exec(word) ?? [];
    if (name === undefined) return word !== '';
    const number = Number(value?.replace(/ms$/, ''));
    if (!(number > 0) || (name !== 'budget' && name !== 'fps' && !Number.isInteger(number)))
      throw new InvalidArgumentError(`${word}: expected a positive ${name === 'budget' ? 'number of ms' : 'number'}`);
    numbers[WORDS[name as keyof typeof WORDS]] = number;
    return false;
  });
  const { budgetMs } = numbers;
  if (budgetMs === undefined) throw new InvalidArgumentError(FORM);
  const forward = words.join(' ');
  const back = backText?.trim() ?? forward;
  const link = parseLinkSpecification(forward);
  const other = parseLinkSpecification(back);
  for (const direction of [link, other]) if (!direction.ok) throw new InvalidArgumentError(direction.malformed);
  const oneWayMs = link.ok ? inMilliseconds(link.value.delay) : 0;
  if (budgetMs <= oneWayMs)
    throw new InvalidArgumentError(`no frame arrives within ${budgetMs} ms: delay is ${oneWayMs} ms`);
  return { name: 'own', forward, back, oneWayMs, release: 'deadline', ...numbers, budgetMs };
}
