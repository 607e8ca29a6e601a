import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runScenario } from '../lab/run-scenario.ts';
import type { SummaryRow } from '../lab/tables.ts';
import type { RateControl } from '../sender/rate/rate-control.ts';
import { ROOT } from './checkout.ts';

/** Recordings of mobile networks, which are not part of the project. */
const RECORDED = join(ROOT, '../shared/media/traces');
const MODELLED = join(ROOT, 'samples/traces');

/** A path of the comparison, on the virtual clock. */
export interface BenchPath {
  readonly name: string;
  readonly forward: string;
  readonly back: string;
  readonly seconds: number;
}

const IDEAL_BACK = 'delay=20ms';
const traced = (file: string): string => `trace=${file} delay=20ms queue=500ms`;

function recorded(name: string, file: string, seconds: number): readonly BenchPath[] {
  const path = join(RECORDED, file);
  return existsSync(path) ? [{ name, forward: traced(path), back: IDEAL_BACK, seconds }] : [];
}

/** All paths that can be run here: recordings only where their files are. */
export function benchPaths(): readonly BenchPath[] {
  return [
    {
      name: 'LTE drive, modelled, both directions',
      forward: traced(join(MODELLED, 'lte-drive.down')),
      back: traced(join(MODELLED, 'lte-drive.up')),
      seconds: 80,
    },
    ...recorded('AT&T LTE of 2016, driving, down', 'mahimahi_ATT-LTE-driving-2016.down', 120),
    ...recorded('AT&T LTE of 2016, driving, up', 'mahimahi_ATT-LTE-driving-2016.up', 120),
    ...recorded('T-Mobile LTE, short, down', 'mahimahi_TMobile-LTE-short.down', 120),
    { name: 'constant 4 Mb/s', forward: 'rate=4mbit delay=20ms queue=500ms', back: IDEAL_BACK, seconds: 60 },
  ];
}

export const BUDGETS_MS = [150, 300, 1_000] as const;
/** Congestion controls that the encoder follows. */
export const FOLLOWING = ['adaptive', 'gcc', 'gcc-trendline', 'scream', 'scream2'] as const satisfies RateControl[];
/** Range of the encoder, kilobits per second. */
export const RANGE = { kbpsMin: 100, kbpsMax: 3_000 } as const;
/** Bit rates of the streams that do not follow, kilobits per second. */
export const CONSTANT_KBPS = [100, 300, 500, 1_000, 1_500, 2_000, 3_000] as const;
/** A key frame every two seconds, as in live streams of a constant rate. */
export const KEY_INTERVAL = 60;
const FRAMES_PER_SECOND = 30;
export const WARM_UP_SECONDS = 2;

/** A stream on a path: an encoder that follows a congestion control, or a constant rate. */
export type PathStream = { readonly rate: (typeof FOLLOWING)[number] } | { readonly kbps: number };

/** Runs a stream at all budgets, with `hybrid`. @returns one row per budget. */
export async function runPath(path: BenchPath, stream: PathStream, seed: number): Promise<readonly SummaryRow[]> {
  const common = { fps: FRAMES_PER_SECOND, seconds: path.seconds };
  const { rows } = await runScenario(
    {
      name: 'bench-path',
      question: 'How close does a stream come to the capacity of a changing path?',
      source:
        'rate' in stream
          ? { adaptive: { ...common, ...RANGE } }
          : { synthetic: { ...common, kbps: stream.kbps, keyInterval: KEY_INTERVAL } },
      link: { forward: path.forward, back: path.back },
      strategies: ['rate' in stream ? { strategy: 'hybrid', rate: stream.rate } : 'hybrid'],
      budgetsMs: [...BUDGETS_MS],
      seeds: [seed],
      warmUpSeconds: WARM_UP_SECONDS,
    },
    { folder: '/' },
  );
  return rows;
}
