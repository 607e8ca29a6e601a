import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microseconds } from '../../../protocol/base/units.ts';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { formatLinkSpecification } from '../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../../sim/link/link-specification.ts';
import { PRESETS } from '../../../sim/link/presets.ts';

describe('reading', () => {
  test('parses every field with its unit', () => {
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

  test('accepts commas and blanks as separators, and an empty text as a clean link', () => {
    expect(parseLinkSpecification(' loss=1%,delay=5ms ,  seed=2 ')).toEqual({
      ok: true,
      value: { ...CLEAN_LINK, loss: 0.01, delay: 5_000, seed: 2 },
    });
    expect(parseLinkSpecification('')).toEqual({ ok: true, value: CLEAN_LINK });
  });

  test.each([
    ['lost=5%', /^'lost=5%': unknown word; did you mean "loss"\?$/],
    ['mtu=5', /^'mtu=5': unknown word; expected one of loss, burst, delay, .*order, .*seed$/],
    ['constructor=1', /^'constructor=1': unknown/],
    ['loss', "'loss': expected a share such as 5% or 0.05"],
    ['loss=', "'loss=': expected a share such as 5% or 0.05"],
    ['loss=5', "'loss=5': expected a share such as 5% or 0.05"],
    ['loss=5%=3', "'loss=5%=3': expected a share such as 5% or 0.05"],
    ['loss=-5%', "'loss=-5%': expected a share such as 5% or 0.05"],
    ['loss=101%', "'loss=101%': expected a share such as 5% or 0.05"],
    ['loss=NaN', "'loss=NaN': expected a share such as 5% or 0.05"],
    ['burst=three', "'burst=three': expected a mean run of losses in datagrams, such as 3"],
    ['delay=20', "'delay=20': expected a time with its unit, such as 20ms, at most 60s"],
    ['delay=61s', "'delay=61s': expected a time with its unit, such as 20ms, at most 60s"],
    ['jitter=2m', "'jitter=2m': expected a time with its unit, such as 2ms, at most 60s"],
    ['dup=x', "'dup=x': expected a share such as 0.1%"],
    ['corrupt=2', "'corrupt=2': expected a share such as 0.1%"],
    ['rate=8', "'rate=8': expected a bit rate with its unit, such as 8mbit"],
    ['queue=9', /^'queue=9': expected a time such as 100ms/],
    ['order=mixed', "'order=mixed': order must be free or kept"],
    ['seed=4294967296', "'seed=4294967296': expected a whole number from 0 to 4294967295"],
    ['seed=1.5', "'seed=1.5': expected a whole number from 0 to 4294967295"],
    ['loss=100% burst=2', "'loss=100%': burst has no meaning at 100 % loss"],
  ])('rejects %s and names the expected value', (text, message) => {
    const parsed = parseLinkSpecification(text);
    if (parsed.ok) throw new Error(`${text} was taken`);
    if (message instanceof RegExp) expect(parsed.malformed).toMatch(message);
    else expect(parsed.malformed).toBe(message);
  });
});

test('a formatted link parses to the same link', () => {
  const share = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 9_999 }).map((n) => n / 10_000),
    fc.constant(1e-9),
  );
  const time = fc.integer({ min: 0, max: 60_000_000 }).map((n) => microseconds(n));
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

test('a clean link is formatted as its seed', () => {
  expect(formatLinkSpecification(CLEAN_LINK)).toBe('seed=1');
});

const files: Readonly<Record<string, string>> = {
  'cell.trace': '1\n2\n5\n',
  'a drive.trace': '3\n9\n',
  'run.bits': '0 1 0 0\n# a remark\n1 0',
  'run.path': '0 20.5\n10 lost\n20 19',
};
const readTrace = (name: string) =>
  Object.hasOwn(files, name)
    ? ({ ok: true, value: files[name]! } as const)
    : ({ ok: false, malformed: `cannot read ${name}: there is no such file or directory` } as const);

const canonical = (text: string): string => {
  const read = parseLinkSpecification(text, readTrace);
  if (!read.ok) throw new Error(`${text}: ${read.malformed}`);
  return formatLinkSpecification(read.value);
};

describe('canonical form', () => {
  test.each([
    [
      'loss=2% burst=4 delay=40ms±5ms rate=8mbit queue=100ms',
      'loss=2% burst=4 delay=40ms jitter=5ms dist=symmetric rate=8000000bit queue=100ms seed=1',
    ],
    ['delay=40ms+-5ms', 'delay=40ms jitter=5ms dist=symmetric seed=1'],
    ['rate=8mbit queue=64kB/25p', 'rate=8000000bit queue=64000b/25p seed=1'],
    ['rate=8mbit queue=none', 'rate=8000000bit queue=none seed=1'],
    ['ge=1%/30%', 'ge=1%/30%/100%/0% seed=1'],
    ['ge=1% step=frame', 'ge=1%/99%/100%/0% step=frame seed=1'],
    ['step=0.01s ge=1%/30%/70%/0.1%', 'ge=1%/30%/70%/0.1% step=10ms seed=1'],
    ['ctge=2%/200ms', 'ctge=2%/200ms/100%/0% seed=1'],
    ['state4=1%', 'state4=1%/99%/0%/100%/0% seed=1'],
    ['onoff=periodic/5s/2s', 'onoff=periodic/5000ms/2000ms seed=1'],
    ['drop=9/1/3/2', 'drop=1-3/9 seed=1'],
    ['shuffle=5%/100 position=pre', 'shuffle=5%/100 position=pre seed=1'],
    ['outage=5s-6s/1min-2min', 'outage=5000ms-6000ms/60000ms-120000ms seed=1'],
    ['quantiles=0ms@0%/1.5ms@50%/9ms@100%', 'quantiles=0ms@0%/1500us@50%/9ms@100% seed=1'],
    ['slip=1%/3 fifo-jitter=2ms', 'fifo-jitter=2ms slip=1%/3 seed=1'],
    [
      'loss=1% at 10s: loss=20% burst=3 at 20s: loss=0',
      'loss=1% seed=1 at 10000ms: loss=20% burst=3 at 20000ms: loss=0%',
    ],
    [
      'ge=1%/30% delay=5ms at 1s: loss=5%, delay=0ms',
      'ge=1%/30%/100%/0% delay=5ms seed=1 at 1000ms: loss=5% delay=0ms',
    ],
    [
      'preset=cellular loss=3%',
      'loss=3% delay=50ms jitter=15ms dist=symmetric order=kept rate=30000000bit queue=100000b seed=1',
    ],
    ['loss=0% burst=1 order=free', 'seed=1'],
  ])('of %s', (text, form) => {
    expect(canonical(text)).toBe(form);
    expect(canonical(form)).toBe(form);
  });

  test('names traces with a content hash, and rejects changed content', () => {
    const form = canonical('trace=cell.trace opportunity=1500b losstrace=run.bits');
    expect(form).toMatch(
      /^losstrace=run.bits#[0-9a-f]{16} trace=cell.trace#[0-9a-f]{16} opportunity=1500b queue=200ms seed=1$/,
    );
    expect(canonical(form)).toBe(form);
    expect(canonical('trace="a drive.trace"')).toMatch(/^trace="a drive.trace#[0-9a-f]{16}" queue/);
    expect(canonical('trace=cell.trace')).not.toContain(/#[0-9a-f]{16}/.exec(form.split('trace=')[2]!)![0]);
    const other = form.replace(/cell.trace#[0-9a-f]{16}/, 'cell.trace#0123456789abcdef');
    expect(parseLinkSpecification(other, readTrace)).toMatchObject({
      ok: false,
      malformed: expect.stringMatching(/^'trace=cell.trace#0123456789abcdef': the content of cell.trace has changed/),
    });
  });

  test('of any valid link is a fixed point', () => {
    const clause = fc
      .record({
        loss: fc.constantFrom(
          '',
          'loss=0.29%',
          'loss=7% burst=3.5',
          'ge=1%/30% step=frame',
          'ge=1%/30%/50%/2% step=3ms',
          'ctge=2%/33ms',
          'state4=1%/20%',
          'onoff=exponential/5s/20ms',
          'drop=4-9/2',
          'shuffle=7%/13',
          'losstrace=run.bits',
          'pathtrace=run.path',
          'pathtrace=run.path',
        ),
        delay: fc.constantFrom(
          '',
          'delay=40ms±5ms',
          'delay=12345us jitter=1ms dist=pareto',
          'jitter=0.3ms',
          'dist=normal',
          'quantiles=0ms@0%/3ms@97.5%/9ms@100%',
          'delay=0ms',
        ),
        rest: fc.subarray(
          [
            'order=kept',
            'order=free',
            'dup=0.3%',
            'corrupt=1e-6',
            'fifo-jitter=2ms',
            'slip=3%/2',
            'outage=1s-2s',
            'position=pre',
          ].filter((word) => word !== 'order=free'),
        ),
        capacity: fc.constantFrom(
          '',
          'rate=8mbit',
          'rate=0bit',
          'trace=cell.trace',
          'trace="a drive.trace" opportunity=1500b',
          'trace=none rate=1mbit',
        ),
        queue: fc.constantFrom('', 'queue=0ms', 'queue=none', 'queue=7p', 'queue=1MB/3ms'),
      })
      .map((words) =>
        Object.values(words)
          .flat()
          .filter((word) => word !== '')
          .join(' '),
      );
    const changes = fc.array(
      clause.filter((words) => words !== ''),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.constantFrom('', 'preset=wifi', 'preset=tambur', 'seed=77'),
        clause,
        changes,
        (head, first, more) => {
          const text = [head, first, ...more.map((words, index) => `at ${index + 1}s: ${words}`)].join(' ');
          const read = parseLinkSpecification(text, readTrace);
          // Contradictory words, such as burst with a loss model, are rejected.
          fc.pre(read.ok);
          if (!read.ok) return;
          const form = formatLinkSpecification(read.value);
          expect(canonical(form)).toBe(form);
          expect(parseLinkSpecification(form, readTrace)).toEqual(read);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('contradictions', () => {
  test.each([
    ['loss=1% loss=2%', "'loss=2%': loss is given twice"],
    ['loss=1% ge=1%/30%', "'ge=1%/30%': a link has one loss model, and loss already sets it"],
    ['ge=1%/30% burst=3', "'burst=3': burst requires loss"],
    ['step=frame', "'step=frame': step requires ge"],
    ['ge=1%/30% step=1us', "'step=1us': expected packet, frame or a time such as 10ms"],
    ['delay=40ms±5ms jitter=1ms', "'jitter=1ms': the ± of delay already sets it"],
    ['rate=8mbit trace=cell.trace', "'rate=8000000bit': the trace already sets the rate"],
    ['opportunity=1500b', "'opportunity=1500b': opportunity requires trace"],
    ['trace=missing', "'trace=missing': cannot read missing: there is no such file or directory"],
    ['losstrace=cell.trace', "'losstrace=cell.trace': line 2: '2' is neither 0 (received) nor 1 (lost)"],
    ['netem="loss 1%" delay=5ms', "'delay=5ms': netem can be combined only with seed"],
    ['netem="loss 1%" at 5s: loss=1%', "'netem': a netem link cannot have timed changes"],
    ['netem="lost 1%"', /^netem 'lost': unsupported/],
    ['netem="loss 1%', 'unbalanced quotation mark'],
    ['at 10s loss=1%', "'at 10s': expected a time and a colon, such as at 10s: loss=20%"],
    ['at 10s: loss=1% at 10s: loss=2%', "'at 10000ms:': changes must be in ascending order of time"],
    ['at 10s:', "'at 10000ms:': expected at least one word after the time"],
    ['quantiles=0ms@0%/5ms@90%', /^'quantiles=0ms@0%\/5ms@90%': expected delays at rising shares from 0% to 100%/],
    ['quantiles=3ms@0%/2ms@100%', /: expected delays at rising shares/],
    ['quantiles=0ms@0%/5ms@100% jitter=1ms', "'quantiles': jitter already sets the additional delay"],
    ['at 10s: seed=3', "'seed=3': seed cannot change while the link runs"],
    ['preset=moon', /^'preset=moon': preset must be one of wifi, wifi-lossy/],
    ['outage=6s-5s', "'outage=6s-5s': expected ascending time spans such as 5s-6s/10s-12s"],
    ['slip=1%/0', "'slip=1%/0': expected share/places, such as 1%/3, at most 1000 places"],
    ['queue=5ms/6ms', /^'queue=5ms\/6ms': expected a time/],
    ['ctge=100%/5ms', /^'ctge=100%\/5ms': expected share of time in Bad/],
    ['drop=0', /^'drop=0': expected numbers of datagrams \(the first is 1\)/],
    ['state4=60%/10%/0%/10%/60%', /^'state4=.*': expected p13/],
    ['ge=', /^'ge=': expected p\/r/],
  ])('rejects %s and names the expected value', (text, message) => {
    const read = parseLinkSpecification(text, readTrace);
    if (read.ok) throw new Error(`${text} was taken`);
    if (message instanceof RegExp) expect(read.malformed).toMatch(message);
    else expect(read.malformed).toBe(message);
  });

  test('rejects file names when no reader is given', () => {
    expect(parseLinkSpecification('trace=cell.trace')).toEqual({
      ok: false,
      malformed: "'trace=cell.trace': files cannot be read here",
    });
  });
});

test.each(PRESETS)('preset $name is a valid link with a source', (preset) => {
  expect(canonical(`preset=${preset.name}`)).toBe(canonical(preset.link));
  expect(preset.source).not.toBe('');
});

test('parsing never throws on arbitrary text', () => {
  const words = fc.constantFrom(
    'at',
    '10s:',
    'loss=',
    'ge=1%/',
    'queue=5p',
    'netem="',
    '"',
    'delay=±',
    'trace=cell.trace',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 6 }), (parts) => {
      const read = parseLinkSpecification(parts.join(' '), readTrace);
      if (read.ok) expect(canonical(formatLinkSpecification(read.value))).toBe(formatLinkSpecification(read.value));
    }),
  );
});

test('docs/LINK.md lists every preset unchanged', () => {
  const page = readFileSync(new URL('../../../docs/LINK.md', import.meta.url), 'utf8');
  for (const { name, link, provenance, source } of PRESETS) {
    expect(page).toContain(`| \`${name}\` | \`${link}\` | ${provenance}: ${source} |`);
  }
});
