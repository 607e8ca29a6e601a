import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { Log } from '../../io/os/log.ts';
import type { TunReport } from '../../session/tun/tun-message.ts';
import { TunRun } from '../../session/tun/tun-run.ts';
import { type Cell, linkOf, shortestTransit } from '../cell.ts';
import type { CellFiles } from '../cell-source.ts';
import { isKernelStrategy, type KernelStrategyName, simulatedTwin } from '../strategies.ts';
import type { EndOrder, EndResult } from './end-order.ts';
import { DISTURBANCE_LIMITS, type DisturbanceLimits, type Measurement, measurementOf } from './measurement.ts';
import { type PathEvent, readPath } from './path-record.ts';

/** Ethernet MTU, as in the modelled connections. */
const MTU = 1_500;

/** A measured cell: observations of both ends and of the path, and the conditions. */
export interface MeasuredRun {
  readonly result: EndResult;
  readonly path: readonly PathEvent[];
  /** Capture of both ends of the path, pcapng. */
  readonly capture: Buffer;
  readonly report: TunReport;
  readonly measurement: Measurement;
}

/** Congestion control of a kernel strategy; `undefined` for UDP. */
export const congestionControlOf = (strategy: KernelStrategyName): string | undefined =>
  /^tcp-kernel-(\w+)$/.exec(strategy)?.[1];

/**
 * Runs a cell in real time over kernel sockets, with the access units, links and seeds of the virtual clock. A
 * disturbed run is repeated; if all attempts are disturbed, the calmest is returned and marked.
 *
 * @param signal ends all processes; the promise then rejects.
 * @throws {Failure} when the kernel refuses, with a remedy.
 */
export async function measureCell(
  cell: Cell,
  files: CellFiles,
  options: {
    readonly signal?: AbortSignal;
    readonly limits?: DisturbanceLimits;
    /** Awaited before each attempt. */
    readonly calm?: () => Promise<void>;
  } = {},
): Promise<MeasuredRun> {
  const { limits = DISTURBANCE_LIMITS, signal } = options;
  let calmest: MeasuredRun | undefined;
  for (let attempts = 1; attempts <= limits.attemptsMax; attempts++) {
    await options.calm?.();
    const run = await measureOnce(cell, files, { attempts, lateUsMax: limits.lateUsMax, signal });
    if (!calmest || disturbance(run) < disturbance(calmest)) calmest = run;
    calmest = { ...calmest, measurement: { ...calmest.measurement, attempts } };
    if (!run.measurement.disturbed) break;
  }
  return calmest!;
}

const disturbance = ({ measurement: { relayUsMax, timerUsMax, machineDrops } }: MeasuredRun): number =>
  Math.max(relayUsMax, timerUsMax) + machineDrops * 1e6;

async function measureOnce(
  cell: Cell,
  files: CellFiles,
  run: { readonly attempts: number; readonly lateUsMax: number; readonly signal: AbortSignal | undefined },
): Promise<MeasuredRun> {
  const folder = await mkdtemp(join(tmpdir(), 'dropframe-cell-'));
  try {
    const capture = join(folder, 'path.pcapng');
    const order = await writeOrder(folder, cell, files);
    const report = await runOnTun(cell, files, { command: endCommand(order), capture, signal: run.signal });
    const text = await readFile(join(folder, 'result.json'), 'utf8').catch(() => undefined);
    if (text === undefined) throw new Failure(`the measured processes ended early (${endText(report)})`);
    const result = JSON.parse(text) as EndResult;
    const bytes = await readFile(capture);
    const path = readPath(bytes, result.zero + (report.captureOffset ?? 0));
    const conditions = { ...run, repeat: cell.repeat ?? 1, kernel: release() };
    return { result, path, capture: bytes, report, measurement: measurementOf(report, result, conditions) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeOrder(folder: string, cell: Cell, files: CellFiles): Promise<string> {
  const packed = cell.source.kind === 'file' ? files.media.get(cell.source.sha256) : undefined;
  const source = packed && join(folder, 'source');
  // Shared memory cannot be serialized.
  if (packed && source)
    await writeFile(source, serialize({ ...packed, bytes: new Uint8Array(packed.bytes).slice().buffer }));
  const transitMin = shortestTransit(linkOf(cell.forward, files.traces));
  const order: EndOrder = { cell, transitMin, source, result: join(folder, 'result.json') };
  const path = join(folder, 'order.json');
  await writeFile(path, JSON.stringify(order));
  return path;
}

function endCommand(order: string): readonly [string, ...string[]] {
  const end = fileURLToPath(import.meta.url).replace(/measure-cell\.(\w+)$/, 'sender-end.$1');
  // An uncompiled checkout needs the loader of this process.
  const loader = end.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  return [process.execPath, ...loader, end, order];
}

async function runOnTun(
  cell: Cell,
  files: CellFiles,
  parts: {
    readonly command: readonly [string, ...string[]];
    readonly capture: string | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<TunReport> {
  const { signal, command, capture } = parts;
  signal?.throwIfAborted();
  const { strategy, parameters } = cell;
  const errors: string[] = [];
  const run = await TunRun.start({
    command,
    link: linkOf(cell.forward, files.traces),
    linkBack: linkOf(cell.back, files.traces),
    linkBeginsWithTraffic: true,
    mtu: MTU,
    congestionControl: isKernelStrategy(strategy) ? congestionControlOf(strategy) : undefined,
    notsentLowat: simulatedIsTcp(cell) ? parameters.unsentBytesMax : undefined,
    capture,
    log: new Log({ level: 'error', write: (line) => errors.push(line.trim().replace(/^dropframe: /, '')) }),
  });
  const stop = () => run.kill();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const report = await run.ended;
    if (errors.length > 0) throw new Failure(errors.join('; '));
    return report;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Fails early, with one message, when the kernel does not support these strategies. */
export async function assertKernelAllows(cells: readonly Cell[], files: CellFiles): Promise<void> {
  const tried = new Set<string | undefined>();
  for (const cell of cells) {
    if (!isKernelStrategy(cell.strategy)) continue;
    const name = congestionControlOf(cell.strategy);
    if (tried.has(name)) continue;
    tried.add(name);
    try {
      await runOnTun(cell, files, { command: ['true'], capture: undefined, signal: undefined });
    } catch (error) {
      throw new Failure(`${cell.strategy}: ${causeOf(error)}`, error instanceof Failure ? error.exitCode : 1);
    }
  }
}

const simulatedIsTcp = ({ strategy }: Cell): boolean =>
  isKernelStrategy(strategy) && simulatedTwin(strategy).startsWith('tcp-');

const endText = ({ end }: TunReport): string => (end.signal === null ? `exit code ${end.code}` : end.signal);
