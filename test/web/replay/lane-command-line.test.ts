import { expect, test } from 'vitest';
import { createProgram } from '../../../cli/program.ts';
import type { LaneSettings } from '../../../protocol/page/lane-message.ts';
import { asShellWord, laneCommand } from '../../../web/replay/lane-command-line.ts';

const LANE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'bbr',
  latencyMs: 250,
  onLoss: 'smear',
};

test('the command of a lane has its settings, and a link that a shell leaves as it is', () => {
  expect(laneCommand(LANE, 'loss=4% seed=1')).toBe(
    "dropframe demo --transport udp --recovery hybrid --on-loss smear --latency 250 --link 'loss=4% seed=1'",
  );
  expect(laneCommand({ ...LANE, transport: 'tcp' }, 'delay=5ms')).toBe(
    'dropframe demo --transport tcp --congestion bbr --latency 250 --link delay=5ms',
  );
  expect(asShellWord("it's")).toBe("'it'\\''s'");
});

test('every option of such a command is one of the demo', async () => {
  const demo = (await createProgram()).commands.find((command) => command.name() === 'demo')!;
  const known = demo.options.map(({ long }) => long);
  for (const lane of [LANE, { ...LANE, transport: 'tcp' as const }]) {
    const named = laneCommand(lane, 'delay=5ms').match(/--[a-z-]+/g)!;
    expect(named.filter((option) => !known.includes(option))).toEqual([]);
  }
});
