import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type AvLibrary, loadAvLibrary } from '../io/encoder/av-library.ts';
import { PictureFilter } from '../io/encoder/picture-filter.ts';
import { PictureReader } from '../io/encoder/picture-reader.ts';
import { RateCorrection } from '../io/encoder/rate-correction.ts';
import { ResolutionSteps } from '../io/encoder/resolution-steps.ts';
import { X264Encoder } from '../io/encoder/x264-encoder.ts';
import { assert } from '../protocol/base/assert.ts';
import type { EncoderModel } from '../sim/encoder-model.ts';
import { SyntheticEncoder } from '../sim/synthetic-encoder.ts';
import { textTable } from './table.ts';

// Entry of `node bench/encoder-fit.js FILM…`: measures the sizes of x264's pictures on films, fits the model of
// sim/encoder-model.ts to one half of the runs, and compares the synthetic encoder with the other half.

/** Bit rates of the runs that are fitted, and of those that are only compared, bits per second. */
const FITTED: readonly number[] = [100_000, 300_000, 1_000_000, 3_000_000];
const COMPARED: readonly number[] = [200_000, 600_000, 2_000_000];
/** A run of steps: the bit rate changes every second. */
const STEPS: readonly number[] = [1_000_000, 300_000, 2_000_000, 600_000, 1_500_000];
const STEP_FRAMES = 30;
const FRAMES = 300;
/** Frames until the correction of the rate has settled. */
const SETTLED = 30;
const KEY_INTERVAL = 60;
const SCORES = [-2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5];
const SEEDS = 20;

/** Bit rate of each frame of a run. */
type Schedule = (frame: number) => number;

interface Sample {
  /** Size relative to the budget. */
  readonly size: number;
  readonly keyFrame: boolean;
}

const constant =
  (bitrate: number): Schedule =>
  () =>
    bitrate;
const steps: Schedule = (frame) => STEPS[Math.floor(frame / STEP_FRAMES) % STEPS.length]!;

/** Sizes of x264's pictures. The film is repeated as often as needed. */
async function measure(av: AvLibrary, url: string, schedule: Schedule, lowest: number): Promise<Sample[]> {
  const order = { input: { url }, guard: {}, framesPerSecondDefault: 25, evenTimes: false, from: 0 } as const;
  const open = () =>
    PictureReader.open(av, { ...order, keyInterval: undefined, bufferSeconds: undefined, adapts: false });
  const samples: Sample[] = [];
  let encoder: X264Encoder | undefined;
  while (samples.length < FRAMES) {
    const reader = await open();
    const { width, height, framesPerSecond } = reader.opened;
    const sizes = new ResolutionSteps({ width, height }, framesPerSecond);
    sizes.begin(lowest);
    const filter = new PictureFilter(av, reader.quarterTurns);
    for (let picture = reader.next(); picture && samples.length < FRAMES; picture = reader.next()) {
      const frame = samples.length;
      const bitrate = schedule(frame);
      const like = filter.apply(picture.frame, sizes.size);
      const options = { preset: 'veryfast', size: sizes.size, framesPerSecond, like };
      encoder ??= await X264Encoder.open(
        av,
        { ...options, keyInterval: undefined, bufferSeconds: undefined },
        bitrate,
        new RateCorrection(),
      );
      const { bytes, keyFrame } = encoder.encode(like, bitrate, 1 / framesPerSecond, frame % KEY_INTERVAL === 0);
      samples.push({ size: (bytes.length * 8 * framesPerSecond) / bitrate, keyFrame });
    }
    filter.close();
    reader.close();
  }
  encoder?.close();
  return samples.slice(SETTLED);
}

const ascending = (values: readonly number[]): number[] => [...values].sort((one, other) => one - other);
const others = (samples: readonly Sample[]): number[] => samples.filter((one) => !one.keyFrame).map(({ size }) => size);
const keys = (samples: readonly Sample[]): number[] => samples.filter((one) => one.keyFrame).map(({ size }) => size);

/** Share of a normal distribution below a score (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normalShare(score: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(score));
  const tail =
    t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const upper = (Math.exp((-score * score) / 2) / Math.sqrt(2 * Math.PI)) * tail;
  return score >= 0 ? 1 - upper : upper;
}

function quantiles(values: readonly number[]): number[] {
  const sorted = ascending(values);
  return SCORES.map((score) => {
    const place = normalShare(score) * (sorted.length - 1);
    const below = Math.floor(place);
    const [one, other] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
    return Math.round((one + (other - one) * (place - below)) * 1_000) / 1_000;
  });
}

/** Mean over the runs of the correlation of successive sizes. */
function correlationOf(runs: readonly (readonly Sample[])[]): number {
  const each = runs.map((run) => {
    const sizes = others(run);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    let [together, alone] = [0, 0];
    for (let at = 1; at < sizes.length; at++) {
      together += (sizes[at]! - mean) * (sizes[at - 1]! - mean);
      alone += (sizes[at]! - mean) ** 2;
    }
    return together / alone;
  });
  const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
  return Math.round(Math.min(0.95, Math.max(0, mean)) * 100) / 100;
}

function fitModel(runs: readonly (readonly Sample[])[]): EncoderModel {
  const all = runs.flat();
  return {
    correlation: correlationOf(runs),
    scores: SCORES,
    sizes: quantiles(others(all)),
    keySizes: quantiles(keys(all)),
    bytesLeast: 60,
    keyBytesLeast: 600,
  };
}

function simulate(model: EncoderModel, schedule: Schedule): Sample[] {
  const framesPerSecond = 30;
  const samples: Sample[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const range = { bitrateMin: 1, bitrateMax: 1e9 };
    const encoder = new SyntheticEncoder({ framesPerSecond, frames: FRAMES, ...range, seed, model });
    for (let frame = 0; frame < FRAMES; frame++) {
      encoder.setTarget(schedule(frame));
      if (frame % KEY_INTERVAL === 0) encoder.requestKeyFrame();
      const unit = encoder.next();
      assert(unit !== undefined, 'the synthetic encoder must have as many frames');
      const bytes = unit.parts.reduce((sum, part) => sum + part.length, 0);
      const keyFrame = unit.importance === 'key';
      if (frame >= SETTLED) samples.push({ size: (bytes * 8 * framesPerSecond) / schedule(frame), keyFrame });
    }
  }
  return samples;
}

/** Largest difference of two empirical distributions (Kolmogorov and Smirnov). */
function distance(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [ascending(one), ascending(other)];
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= value) i++;
    while (j < b.length && b[j]! <= value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

const all = (samples: readonly Sample[]): number[] => samples.map(({ size }) => size);

export async function main(argv: readonly string[]): Promise<number> {
  const films = argv.slice(2);
  const av = await loadAvLibrary();
  if (av === undefined || films.length === 0) {
    stderr.write('encoder-fit: needs node-av, and the names of films\n');
    return av === undefined ? 3 : 2;
  }
  const models: Record<string, EncoderModel> = {};
  const rows: string[][] = [];
  for (const film of films) {
    const fitted: Sample[][] = [];
    for (const bitrate of FITTED) {
      stderr.write(`${basename(film)}: ${bitrate / 1_000} kb/s\n`);
      fitted.push(await measure(av, film, constant(bitrate), bitrate));
    }
    const model = fitModel(fitted);
    models[basename(film)] = model;
    const pooled: { real: Sample[]; made: Sample[] } = { real: [], made: [] };
    const compare = (name: string, real: Sample[], made: Sample[]) => {
      const mean = others(real).reduce((sum, size) => sum + size, 0) / others(real).length;
      const key = keys(real).reduce((sum, size) => sum + size, 0) / keys(real).length;
      const cells = [mean, key, distance(all(real), all(made))].map((value) => value.toFixed(3));
      rows.push([basename(film).slice(0, 20), name, ...cells]);
    };
    const schedules: readonly (readonly [string, Schedule, number])[] = [
      ...COMPARED.map((bitrate) => [`${bitrate / 1_000} kb/s`, constant(bitrate), bitrate] as const),
      ['steps', steps, Math.min(...STEPS)],
    ];
    for (const [name, schedule, lowest] of schedules) {
      stderr.write(`${basename(film)}: ${name}\n`);
      const real = await measure(av, film, schedule, lowest);
      const made = simulate(model, schedule);
      compare(name, real, made);
      pooled.real.push(...real);
      pooled.made.push(...made);
    }
    compare('all compared', pooled.real, pooled.made);
  }
  stdout.write(`${textTable(['film', 'run', 'mean size', 'key frame', 'KS'], rows)}\n`);
  const folder = fileURLToPath(new URL('../..', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'encoder-fit.json'), `${JSON.stringify({ models, rows }, null, 2)}\n`);
  stdout.write(`${JSON.stringify(models)}\n`);
  return 0;
}
