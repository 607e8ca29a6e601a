import { basename } from 'node:path';
import { stderr } from 'node:process';
import { type AvLibrary, loadAvLibrary } from '../io/encoder/av-library.ts';
import { Failure } from '../io/os/failure.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { budgetOf, type Cell, canonicalLink } from '../lab/cell.ts';
import type { CellSource } from '../lab/cell-source.ts';
import type { OpenPictures } from '../lab/media-run.ts';
import { percentile, sorted } from '../lab/metrics/percentile.ts';
import { planSlots } from '../lab/quality/slot-plan.ts';
import { runCellOfPictures } from '../lab/run-cell.ts';
import type { Traces } from '../lab/traces.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { type EncodedFilm, encodeConstant, FRAMES_PER_SECOND, GuidedFilm } from './film-encoder.ts';
import { FilmPictures } from './film-pictures.ts';
import {
  type BenchPath,
  BUDGETS_MS,
  CONSTANT_KBPS,
  KEY_INTERVAL,
  type PathStream,
  RANGE,
  WARM_UP_SECONDS,
} from './path-run.ts';
import { shownSsim } from './shown-quality.ts';

/** A film as its viewer saw it over a path. */
export interface ShownFilm {
  readonly film: string;
  readonly path: string;
  readonly budgetMs: number;
  readonly stream: PathStream;
  /** Over all slots after the warm-up, whether or not their pictures came in time. */
  readonly ssimMean: number;
  readonly ssimP5: number;
  readonly missRatio: number;
  /** Payload of the frames in time, bits per second. */
  readonly goodput: number;
}

/** Sends films over paths, with x264 in the loop and at constant rates, and compares what was on the screen with the film. */
export async function measurePathQuality(
  films: readonly string[],
  paths: readonly BenchPath[],
  { seed, secondsMax }: { readonly seed: number; readonly secondsMax: number },
): Promise<readonly ShownFilm[]> {
  const av = await loadAvLibrary();
  if (av === undefined) throw new Failure('--quality needs node-av, which is not installed or does not load', 3);
  const shown: ShownFilm[] = [];
  for (const file of films) {
    const film = await FilmPictures.open(av, file);
    const quality = new FilmQuality(av, film, basename(file), seed);
    for (const path of paths) {
      shown.push(...(await quality.over({ ...path, seconds: Math.min(secondsMax, path.seconds) })));
    }
    film.close();
  }
  return shown;
}

class FilmQuality {
  readonly #av: AvLibrary;
  readonly #film: FilmPictures;
  readonly #name: string;
  readonly #seed: number;
  /** Encodes at constant rates, by rate and length. */
  readonly #constant = new Map<string, EncodedFilm>();

  constructor(av: AvLibrary, film: FilmPictures, name: string, seed: number) {
    this.#av = av;
    this.#film = film;
    this.#name = name;
    this.#seed = seed;
  }

  async over(path: BenchPath): Promise<readonly ShownFilm[]> {
    const shown: ShownFilm[] = [];
    const frames = path.seconds * FRAMES_PER_SECOND;
    for (const budgetMs of BUDGETS_MS) {
      const range = { bitrateMin: RANGE.kbpsMin * 1_000, bitrateMax: RANGE.kbpsMax * 1_000 };
      const guided = await GuidedFilm.open(this.#av, this.#film, range);
      const follows = { rate: 'adaptive' } as const;
      const adaptive: CellSource = { kind: 'adaptive', fps: FRAMES_PER_SECOND, ...RANGE, keyInterval: 0, frames };
      shown.push(
        await this.#run({ path, budgetMs, stream: follows }, adaptive, (guide) => guided.source(frames, guide), guided),
      );
      guided.close();
      for (const kbps of CONSTANT_KBPS) {
        const encoded = await this.#encoded(kbps, frames);
        const whole = { kind: 'synthetic', fps: FRAMES_PER_SECOND, kbps, keyInterval: KEY_INTERVAL } as const;
        const source: CellSource = { ...whole, keyFrameRatio: 1, frames };
        shown.push(await this.#run({ path, budgetMs, stream: { kbps } }, source, unitsOf(encoded), encoded));
      }
    }
    return shown;
  }

  async #encoded(kbps: number, frames: number): Promise<EncodedFilm> {
    const key = `${kbps}/${frames}`;
    const options = { bitrate: kbps * 1_000, keyInterval: KEY_INTERVAL, frames };
    const encoded = this.#constant.get(key) ?? (await encodeConstant(this.#av, this.#film, options));
    this.#constant.set(key, encoded);
    return encoded;
  }

  async #run(
    setting: { readonly path: BenchPath; readonly budgetMs: number; readonly stream: PathStream },
    source: CellSource,
    openPictures: OpenPictures,
    encoded: EncodedFilm,
  ): Promise<ShownFilm> {
    const { path, budgetMs, stream } = setting;
    const traces = tracesOf(path);
    const cell: Cell = {
      strategy: 'hybrid',
      parameters: 'rate' in stream ? { rate: stream.rate } : {},
      source,
      forward: canonicalLink(path.forward, this.#seed, traces),
      back: canonicalLink(path.back, this.#seed, traces),
      budgetMs,
      warmUpSeconds: WARM_UP_SECONDS,
      release: 'deadline',
      seed: this.#seed,
    };
    const { frames, row } = runCellOfPictures(cell, { media: new Map(), traces }, { openPictures });
    const records = Array.from({ length: frames.length }, (_, at) => frames.record(at));
    const plan = planSlots(records, encoded.units, budgetOf(cell));
    const scores = (await shownSsim(this.#av, this.#film, encoded, plan)).slice(WARM_UP_SECONDS * FRAMES_PER_SECOND);
    const name = 'rate' in stream ? stream.rate : `${stream.kbps} kb/s`;
    const ssimMean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    stderr.write(`${this.#name}, ${path.name}, ${budgetMs} ms, ${name}: SSIM ${ssimMean.toFixed(4)}\n`);
    return {
      ...{ film: this.#name, path: path.name, budgetMs, stream },
      ssimMean,
      ssimP5: percentile(sorted(scores), 0.05)!,
      missRatio: row.missRatio,
      goodput: row.goodput,
    };
  }
}

const unitsOf =
  ({ units }: EncodedFilm): OpenPictures =>
  () => {
    let next = 0;
    return { next: (): AccessUnit | undefined => units[next++] };
  };

function tracesOf({ forward, back }: BenchPath): Traces {
  const files = [forward, back].flatMap((link) => /(?:^| )trace=(\S+)/.exec(link)?.[1] ?? []);
  return new Map(
    files.map((file) => {
      const content = readTraceFile(file);
      if (!content.ok) throw new Failure(content.malformed);
      return [file, content.value];
    }),
  );
}
