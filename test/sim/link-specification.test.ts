import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLEAN_LINK,
  formatLinkSpecification,
  type LinkSpecification,
  parseLinkSpecification,
} from '../../sim/link-specification.ts';

describe('reading', () => {
  test('all that a link knows, in its units', () => {
    const text =
      'loss=5% burst=3 delay=20ms jitter=2500us order=kept dup=0.1% corrupt=0.02 rate=8mbit queue=0.1s seed=42';
    expect(parseLinkSpecification(text)).toEqual({
      ok: true,
      value: {
        loss: 0.05,
        burst: 3,
        delay: 20_000,
        jitter: 2_500,
        order: 'kept',
        duplicate: 0.001,
        corrupt: 0.02,
        rate: 8_000_000,
        queue: 100_000,
        seed: 42,
      },
    });
  });

  test('commas and blanks separate alike, and nothing is a clean link', () => {
    expect(parseLinkSpecification(' loss=1%,delay=5ms ,  seed=2 ')).toEqual({
      ok: true,
      value: { ...CLEAN_LINK, loss: 0.01, delay: 5_000, seed: 2 },
    });
    expect(parseLinkSpecification('')).toEqual({ ok: true, value: CLEAN_LINK });
  });

  test.each([
    ['lost=5%', /^'lost=5%': unknown; a link knows loss, burst, delay, .*order, .*seed$/],
    ['constructor=1', /^'constructor=1': unknown/],
    ['loss', "'loss': loss is a share such as 5% or 0.05"],
    ['loss=', "'loss=': loss is a share such as 5% or 0.05"],
    ['loss=5', "'loss=5': loss is a share such as 5% or 0.05"],
    ['loss=5%=3', "'loss=5%=3': loss is a share such as 5% or 0.05"],
    ['loss=-5%', "'loss=-5%': loss is a share such as 5% or 0.05"],
    ['loss=101%', "'loss=101%': loss is a share such as 5% or 0.05"],
    ['loss=NaN', "'loss=NaN': loss is a share such as 5% or 0.05"],
    ['burst=three', "'burst=three': burst is a mean run of losses in datagrams, such as 3"],
    ['delay=20', "'delay=20': delay is a time with its unit, such as 20ms, at most 60s"],
    ['delay=61s', "'delay=61s': delay is a time with its unit, such as 20ms, at most 60s"],
    ['jitter=2m', "'jitter=2m': jitter is a time with its unit, such as 2ms, at most 60s"],
    ['dup=x', "'dup=x': dup is a share such as 0.1%"],
    ['corrupt=2', "'corrupt=2': corrupt is a share such as 0.1%"],
    ['rate=8', "'rate=8': rate is a bit rate with its unit, such as 8mbit"],
    ['queue=9', /^'queue=9': queue is a time with its unit, such as 100ms/],
    ['order=mixed', "'order=mixed': order is free or kept"],
    ['seed=4294967296', "'seed=4294967296': seed is a whole number from 0 to 4294967295"],
    ['seed=1.5', "'seed=1.5': seed is a whole number from 0 to 4294967295"],
    ['loss=100% burst=2', "'loss=100%': a link that loses everything has no bursts"],
  ])('%s is refused, and told why', (text, message) => {
    const parsed = parseLinkSpecification(text);
    if (parsed.ok) throw new Error(`${text} was taken`);
    if (message instanceof RegExp) expect(parsed.malformed).toMatch(message);
    else expect(parsed.malformed).toBe(message);
  });
});

test('what is written reads as what it was', () => {
  const share = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 9_999 }).map((n) => n / 10_000),
    fc.constant(1e-9),
  );
  const time = fc.integer({ min: 0, max: 60_000_000 });
  const specification: fc.Arbitrary<LinkSpecification> = fc.record({
    loss: share,
    burst: fc.constantFrom(1, 2, 2.5, 40),
    delay: time,
    jitter: time,
    order: fc.constantFrom('free', 'kept'),
    duplicate: share,
    corrupt: share,
    rate: fc.constantFrom(0, 64_000, 8_000_000, 1e12),
    queue: time,
    seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  fc.assert(
    fc.property(specification, (link) => {
      const text = formatLinkSpecification(link);
      const read = parseLinkSpecification(text);
      if (!read.ok) throw new Error(`${text}: ${read.malformed}`);
      expect(formatLinkSpecification(read.value)).toBe(text);
      for (const [field, value] of Object.entries(link)) {
        const again = read.value[field as keyof LinkSpecification];
        if (typeof value === 'number') expect(again, `${field} of ${text}`).toBeCloseTo(value, 12);
        else expect(again).toBe(value);
      }
    }),
  );
});

test('a clean link is written as its seed alone', () => {
  expect(formatLinkSpecification(CLEAN_LINK)).toBe('seed=1');
});
