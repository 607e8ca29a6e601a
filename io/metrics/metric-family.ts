/** Names and values of labels; each name has a fixed, small set of values. */
export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricSample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Samples of one quantity. The name ends in its base unit, and in `_total` for a counter. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** A value without labels, or values by labels; unknown ones (`undefined`, `null`) are left out. */
export type MetricValues = number | null | undefined | readonly (readonly [MetricLabels, number | null | undefined])[];

export const counter = (name: string, help: string, values: MetricValues): MetricFamily =>
  family('counter', name, help, values);

export const gauge = (name: string, help: string, values: MetricValues): MetricFamily =>
  family('gauge', name, help, values);

/** Returns the values of a record with its keys as a label: `{ onTime: 3 }` becomes `outcome="on_time"`. */
export const byLabel = (
  label: string,
  values: Readonly<Record<string, number>>,
  others: MetricLabels = {},
): [MetricLabels, number][] =>
  Object.entries(values).map(([name, value]) => [{ ...others, [label]: snakeCase(name) }, value]);

/** Content type of the text format, version 0.0.4. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes families in Prometheus' text format: HELP and TYPE, then one line per sample. Families of the same name (one per
 * stream) become one; families without samples are left out.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function writeMetrics(families: readonly MetricFamily[]): string {
  const merged = new Map<string, MetricFamily>();
  for (const one of families) {
    const before = merged.get(one.name);
    merged.set(one.name, before ? { ...before, samples: [...before.samples, ...one.samples] } : one);
  }
  const present = [...merged.values()].filter(({ samples }) => samples.length > 0);
  return present.map(familyText).join('');
}

function family(type: MetricFamily['type'], name: string, help: string, values: MetricValues): MetricFamily {
  const labelled = Array.isArray(values) ? values : [[{}, values as number | null | undefined] as const];
  const samples = labelled.flatMap(([labels, value]) =>
    value === undefined || value === null ? [] : [{ labels, value }],
  );
  return { name, type, help, samples };
}

function familyText({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`);
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** A number as Go parses it, which JavaScript writes but for infinities. */
const valueText = (value: number): string => String(value).replace('Infinity', 'Inf');

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
