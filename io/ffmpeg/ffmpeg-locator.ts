import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, sep } from 'node:path';
import { env, platform } from 'node:process';
import { Failure } from '../os/failure.ts';
import { askFfmpeg } from './ffmpeg-answer.ts';

/** Origin of a binary, in search order. */
export type FfmpegOrigin = '--ffmpeg' | 'FFMPEG_PATH' | 'FFMPEG_BIN' | 'ffmpeg-static' | 'PATH' | 'well-known place';

/** A working ffmpeg. */
export interface Ffmpeg {
  readonly path: string;
  /** Version as printed: `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  readonly origin: FfmpegOrigin;
  /** True when it can encode H.264. */
  readonly libx264: boolean;
  readonly warnings: readonly string[];
}

/** Inputs of the search; each can be replaced in a test. */
export interface FfmpegSearch {
  /** Time for which a binary may do nothing before it answers, milliseconds. */
  readonly patienceMs?: number;
  /** Path from `--ffmpeg PATH`; no other binary is then used. */
  readonly explicit?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly wellKnownFolders?: readonly string[];
  /** Returns the binary of an installed package; `undefined` if there is none. */
  readonly packageBinary?: (name: 'ffmpeg-static') => string | undefined;
}

const WELL_KNOWN_FOLDERS = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin', '/snap/bin'];
/** Time without work after which a probe ends, milliseconds: `-version` takes 50 on a slow machine, seconds on a network drive. */
const PROBE_MS_MAX = 15_000;
const EXECUTABLE = platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';

interface Candidate {
  readonly path: string;
  readonly origin: FfmpegOrigin;
}

interface Probe {
  readonly version: string;
  readonly libx264: boolean;
}

/**
 * Returns the ffmpeg to use: the one named by the user (an unusable one is an error, never replaced silently), else the
 * first one with libx264, else the first one that runs.
 */
export async function locateFfmpeg(search: FfmpegSearch = {}): Promise<Ffmpeg> {
  const environment = search.environment ?? env;
  const named = namedCandidate(search.explicit, environment);
  if (named !== undefined) return usableOrFailure(named, environment, search.patienceMs);

  let second: Ffmpeg | undefined;
  const refused: string[] = [];
  for (const candidate of candidates(search, environment)) {
    const probe = await probed(candidate.path, search.patienceMs);
    if (typeof probe === 'string') refused.push(`${candidate.path} ${probe}`);
    else if (probe.libx264) return located(candidate, probe, refused);
    else second ??= located(candidate, probe, refused);
  }
  if (second !== undefined) return second;
  throw new Failure(`no ffmpeg found${refused.map((line) => ` (${line})`).join('')}: ${remedy()}`, 3);
}

/** True when this version knows `-fps_mode`, added in 5.1; its predecessor `-vsync` was removed in 9. */
export function knowsFrameRateMode(version: string): boolean {
  const snapshot = /^N-(\d+)/.exec(version);
  // Snapshots number their commits; -fps_mode arrived around commit 107,1xx (June 2022).
  if (snapshot !== null) return Number(snapshot[1]) >= 107_200;
  const release = /^n?(\d+)\.(\d+)/.exec(version);
  if (release === null) return true;
  const [major, minor] = [Number(release[1]), Number(release[2])];
  return major > 5 || (major === 5 && minor >= 1);
}

/** Returns the commands that install ffmpeg, in one line. */
export function remedy(): string {
  const install =
    { darwin: 'brew install ffmpeg', win32: 'winget install Gyan.FFmpeg' }[platform as string] ??
    'sudo apt-get install ffmpeg';
  return `run \`${install}\`, or \`node node_modules/ffmpeg-static/install.js\`, or set FFMPEG_PATH=/path/to/ffmpeg`;
}

function namedCandidate(explicit: string | undefined, environment: NonNullable<FfmpegSearch['environment']>) {
  const named: readonly (readonly [FfmpegOrigin, string | undefined])[] = [
    ['--ffmpeg', explicit],
    ['FFMPEG_PATH', environment.FFMPEG_PATH],
    ['FFMPEG_BIN', environment.FFMPEG_BIN],
  ];
  for (const [origin, path] of named) if (path !== undefined && path !== '') return { path, origin };
  return undefined;
}

async function usableOrFailure(
  named: Candidate,
  environment: NonNullable<FfmpegSearch['environment']>,
  patienceMs: number | undefined,
) {
  const { origin } = named;
  // A bare name (`ffmpeg7`) is looked up on the PATH, as in a shell.
  const path = named.path.includes('/') || named.path.includes(sep) ? named.path : onPath(named.path, environment);
  const probe = path === undefined ? 'is not on the PATH' : await probed(path, patienceMs);
  if (path !== undefined && typeof probe !== 'string') return located({ path, origin }, probe, []);
  throw new Failure(`${origin} names ${named.path}, which ${probe as string}: correct it, or ${remedy()}`, 3);
}

function* candidates(
  search: FfmpegSearch,
  environment: NonNullable<FfmpegSearch['environment']>,
): Generator<Candidate> {
  const packageBinary = search.packageBinary ?? installedPackageBinary;
  const seen = new Set<string>();
  const offer = function* (origin: FfmpegOrigin, path: string | undefined): Generator<Candidate> {
    if (path === undefined || seen.has(path) || !isExecutable(path)) return;
    seen.add(path);
    yield { path, origin };
  };
  yield* offer('ffmpeg-static', packageBinary('ffmpeg-static'));
  yield* offer('PATH', onPath(EXECUTABLE, environment));
  for (const folder of search.wellKnownFolders ?? WELL_KNOWN_FOLDERS) {
    yield* offer('well-known place', join(folder, EXECUTABLE));
  }
}

function located(candidate: Candidate, probe: Probe, refused: readonly string[]): Ffmpeg {
  const warnings = refused.map((line) => `skipped an unusable ffmpeg: ${line}`);
  if (!probe.libx264) warnings.push(`${candidate.path} has no libx264: it can copy H.264 but not encode it`);
  return { ...candidate, ...probe, warnings };
}

/**
 * Returns the path of the binary in an optional package. npm removes ffmpeg-static when its download fails, so it
 * cannot be imported statically; and it returns a path even if the file is missing.
 */
function installedPackageBinary(name: string): string | undefined {
  try {
    const path: unknown = createRequire(import.meta.url)(name);
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

function onPath(name: string, environment: NonNullable<FfmpegSearch['environment']>): string | undefined {
  const folders = (environment.PATH ?? environment.Path ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Probes by path; each binary is probed once per process. */
const probes = new Map<string, Promise<Probe | string>>();

function probed(path: string, patienceMs = PROBE_MS_MAX): Promise<Probe | string> {
  let probe = probes.get(path);
  if (probe === undefined) {
    probe = runProbe(path, patienceMs);
    probes.set(path, probe);
  }
  return probe;
}

/** Runs the binary. Returns its version and capabilities, or the reason why it is unusable. */
async function runProbe(path: string, patienceMs: number): Promise<Probe | string> {
  if (!isExecutable(path)) return 'is not an executable file';
  const question = { limits: { idleMs: patienceMs } };
  const banner = await askFfmpeg(path, ['-version'], question);
  if (banner.late !== undefined) return `does not answer (${banner.late})`;
  if (!banner.succeeded) return 'does not run';
  const version = /^ffmpeg version (\S+)/.exec(banner.stdout)?.[1];
  if (version === undefined) return 'is not ffmpeg';
  const encoders = await askFfmpeg(path, ['-hide_banner', '-encoders'], question);
  if (encoders.late !== undefined) return `does not list its encoders (${encoders.late})`;
  return { version, libx264: encoders.succeeded && /\blibx264\b/.test(encoders.stdout) };
}
