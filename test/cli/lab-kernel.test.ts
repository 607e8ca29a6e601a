import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Answer } from '../../lab/answer.ts';
import { parseParquet } from '../../lab/store/parquet.ts';
import type { FrameRecord } from '../../lab/tables.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { dropframe, ROOT, withTun } from './inside.ts';

function lab(scenario: object): { code: number | null; stderr: string; folder: string; answer: () => Answer } {
  const folder = temporaryFolder();
  const file = join(folder, 'scenario.json');
  writeFileSync(file, JSON.stringify({ name: 'measured', question: 'What is measured?', ...scenario }));
  const out = join(folder, 'out');
  const args = dropframe('lab', 'run', file, '--out', out, '--json', '--frames');
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return { code: status, stderr, folder: out, answer: () => JSON.parse(stdout.trim().split('\n').at(-1)!) };
}

const PATH = {
  source: { synthetic: { fps: 30, kbps: 600, keyInterval: 30, seconds: 2 } },
  link: { forward: 'loss=4% delay=15ms', back: 'delay=15ms' },
  budgetsMs: 1_000,
  seeds: [5],
  release: 'asap',
};

withTun('delivers the same frames over kernel UDP and TCP as in simulation', async () => {
  const strategies = ['nack', 'udp-kernel-nack', 'tcp-kernel-reno'];
  const run = lab({ ...PATH, strategies, kernelRepeats: 1 });
  expect(run.stderr).not.toContain('error');
  expect(run.code).toBe(0);
  const { rows, manifest, cost } = run.answer();
  const [simulated, udp, tcp] = rows;
  expect(rows.map(({ strategy }) => strategy)).toEqual(strategies);
  // The same packets meet the same fates; only requests and their answers depend on the clock.
  expect(udp!.packetsSent).toBe(simulated!.packetsSent);
  expect(udp!.framesInTime).toBe(60);
  expect(udp!.deliveredUsP50).toBeGreaterThanOrEqual(simulated!.deliveredUsP50!);
  expect(udp!.packetsLost).toBeGreaterThan(0);
  expect(tcp!.framesDecodable).toBe(60);
  expect(tcp!.bytesRetransmission).toBeGreaterThan(0);
  expect(tcp!.deliveredUsP50).toBeGreaterThan(15_000);
  expect(manifest.env.mode).toBe('sim+socket');
  expect(manifest.measured).toMatchObject([
    { strategy: 'udp-kernel-nack', mode: 'socket', transport: 'udp', congestionControl: [] },
    { strategy: 'tcp-kernel-reno', transport: 'tcp', congestionControl: ['reno'], notsentLowat: [0xffff_ffff] },
  ]);
  expect(cost.map(({ strategy }) => strategy)).toEqual(['nack']);
  const frames = await parseParquet<FrameRecord>(
    readFileSync(join(run.folder, 'cells', `${tcp!.cell}.frames.parquet`)),
  );
  for (const { sentAt, completeAt, capturedAt } of frames) {
    expect(sentAt === null || sentAt >= capturedAt).toBe(true);
    expect(completeAt! - capturedAt).toBeGreaterThanOrEqual(15_000);
  }
});

withTun('records tcp_notsent_lowat, drops a frame that waited too long, and makes each repeat a cell', () => {
  const strategies = [{ strategy: 'tcp-kernel-reno', unsentBytesMax: 8_192, giveUpMs: 100 }];
  const link = { forward: 'rate=300kbit delay=15ms', back: 'delay=15ms' };
  const { rows, manifest } = lab({ ...PATH, link, strategies, kernelRepeats: 2 }).answer();
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row.framesRefused).toBeGreaterThan(0);
  expect(manifest.measured).toMatchObject([{ cells: 2, notsentLowat: [8_192] }]);
  expect(Object.keys(manifest.files)).toContain('measured.csv');
});
