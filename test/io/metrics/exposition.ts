export interface ParsedMetrics {
  /** Type of each family, by name. */
  readonly types: ReadonlyMap<string, string>;
  /** Value of each sample, by its name and labels as written. */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|NaN)$`,
);

/**
 * Parses Prometheus' text format strictly, with the conventions for names: HELP and TYPE before the samples of each family,
 * no family and no sample twice, `_total` for counters alone, base units.
 * @throws {Error} at the first line that breaks a rule.
 */
export function parseExposition(text: string): ParsedMetrics {
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  if (!text.endsWith('\n')) throw new Error('the last line has no line feed');
  let family: string | undefined;
  let helped: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (types.has(name!)) fail('a family twice');
      if (!/^[A-Z].*\.$|; the value is 1\.$/.test(rest!)) fail('help is no sentence');
      helped = name;
    } else if (kind === 'TYPE') {
      if (helped !== name) fail('TYPE without HELP before it');
      if (rest !== 'counter' && rest !== 'gauge') fail('unknown type');
      if (name!.endsWith('_total') !== (rest === 'counter')) fail('_total is for counters');
      if (/_(ms|milliseconds|bits|kilobytes|percent)(_|$)/.test(name!)) fail('not a base unit');
      types.set(name!, rest!);
      family = name;
    } else {
      const [, sample, labels, value] = SAMPLE.exec(line) ?? fail('not a sample');
      if (sample !== family) fail('a sample outside its family');
      const names = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label);
      if (new Set(names).size !== names.length) fail('a label twice');
      const key = line.slice(0, line.lastIndexOf(' '));
      if (samples.has(key)) fail('a sample twice');
      samples.set(key, Number(value!.replace('Inf', 'Infinity')));
    }
  }
  return { types, samples };
}
