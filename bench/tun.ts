import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { RelayDirectionReport } from '../session/relay/relay-report.ts';
import type { BenchPart, PartContext } from './part.ts';
import { outputOf } from './programs.ts';
import { median, textTable } from './table.ts';

const ACROSS = '10.9.0.2';
const LOADS = [
  { name: 'none', megabits: 0 },
  { name: 'TCP at 200 Mb/s', megabits: 200 },
  { name: 'TCP, unlimited', megabits: Number.POSITIVE_INFINITY },
];

/** Result of a probe: delay percentiles of a small datagram to itself, microseconds, and the TCP throughput. */
interface ProbeResult {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly megabits: number;
}

interface Run {
  readonly load: string;
  readonly direct: ProbeResult;
  readonly through: ProbeResult;
  /** Lateness of packets leaving the link, milliseconds, in the direction of the data. */
  readonly lateMsP99: number;
}

/**
 * Delay added by an unimpaired virtual link: the same datagrams and TCP over loopback and through the link, in turn.
 */
export const tun: BenchPart = async (context) => {
  const runs: Run[] = [];
  for (let round = 1; round <= context.rounds; round++) {
    for (const { name, megabits } of LOADS) {
      context.progress(`tun: round ${round} of ${context.rounds}, ${name}`);
      const seconds = context.quick ? 2 : 10;
      const direct = await probed(context, ['127.0.0.1', megabits, seconds]);
      runs.push({ load: name, direct, ...(await probedThrough(context, [ACROSS, megabits, seconds])) });
    }
  }
  const rows = LOADS.map(({ name }) => {
    const of = runs.filter(({ load }) => load === name);
    const middle = (read: (run: Run) => number) => median(of.map(read));
    const ms = (read: (run: Run) => number) => (middle(read) / 1_000).toFixed(2);
    return [
      name,
      `${ms(({ direct }) => direct.p50)} / ${ms(({ direct }) => direct.p99)}`,
      `${ms(({ through }) => through.p50)} / ${ms(({ through }) => through.p99)}`,
      `${ms(({ direct, through }) => through.p50 - direct.p50)} / ${ms(({ direct, through }) => through.p99 - direct.p99)}`,
      middle(({ lateMsP99 }) => lateMsP99).toFixed(2),
      `${middle(({ direct }) => direct.megabits).toFixed(0)} / ${middle(({ through }) => through.megabits).toFixed(0)}`,
    ];
  });
  const head = ['other traffic', 'loopback p50/p99', 'link --tun p50/p99', 'added', 'left late p99', 'TCP Mb/s'];
  const text = [
    'A 64-byte datagram every 5 ms from a process to itself, ms: over loopback, and through `link --tun` without',
    `impairment; TCP between two other processes. Medians of ${context.rounds}.`,
    '',
    textTable(head, rows),
  ].join('\n');
  return { text, figures: { runs } };
};

type ProbeArguments = readonly [address: string, megabits: number, seconds: number];

const probeOf = (probeArguments: ProbeArguments): string[] => [
  fileURLToPath(new URL('./tun-probe.js', import.meta.url)),
  ...probeArguments.map(String),
];

async function probed({ programs }: PartContext, probeArguments: ProbeArguments): Promise<ProbeResult> {
  const probe = programs.start(execPath, probeOf(probeArguments), { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await outputOf(probe, 'the probe')) as ProbeResult;
}

async function probedThrough(
  { programs }: PartContext,
  probeArguments: ProbeArguments,
): Promise<Pick<Run, 'through' | 'lateMsP99'>> {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-bench-'));
  try {
    const report = join(folder, 'report.json');
    const args = ['link', '--tun', '--report', report, '--quiet', '--', execPath, ...probeOf(probeArguments)];
    const link = programs.startOurs('command', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const through = JSON.parse(await outputOf(link, 'link --tun')) as ProbeResult;
    const { forward } = JSON.parse(readFileSync(report, 'utf8')) as { readonly forward: RelayDirectionReport };
    return { through, lateMsP99: forward.latenessMs?.p99 ?? Number.NaN };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
