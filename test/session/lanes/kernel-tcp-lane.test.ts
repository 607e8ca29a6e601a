import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { now } from '../../../io/os/clock.ts';
import { TUN_PATH } from '../../../io/os/tun-device.ts';
import type { LaneFigures, LaneSettings } from '../../../protocol/page/lane-message.ts';
import { Lanes } from '../../../session/lanes/lanes.ts';
import { kernelTcp } from '../../../session/tun/kernel-tcp-run.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { readPcapng } from '../../io/capture/pcapng.ts';
import { optional } from '../../optional.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { hasTun } from '../../tun.ts';

const withTun = optional(`koffi, ${TUN_PATH} and network namespaces`, await hasTun());
const KERNEL: LaneSettings = {
  transport: 'tcp',
  kernel: true,
  recovery: 'none',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const FRAME_MS = 33;
const SOURCE = { codecName: 'h264', parameterSets: [], sound: undefined } as const;

/** Processes of this one that have a network for a lane. */
function insiders(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      return command.includes('kernel-tcp-inside') && parent === String(process.pid);
    } catch {
      return false;
    }
  });
}

/** Lanes that are sent the sample, as a source does. */
function playing(lanes: readonly LaneSettings[], link: string) {
  const parsed = parseLinkSpecification(link);
  if (!parsed.ok) throw new Error(parsed.malformed);
  let pictures = 0;
  const show = new Lanes({
    lanes,
    link: parsed.value,
    kernelTcp,
    onPicture: () => {
      pictures++;
    },
  });
  const units = sampleUnits();
  show.restart(SOURCE);
  let next = 0;
  const timer = setInterval(() => show.send(units[next++ % units.length]!, now()), FRAME_MS);
  const stop = (): void => {
    clearInterval(timer);
    show.close();
  };
  onTestFinished(stop);
  return { show, stop, pictures: () => pictures };
}

const shown = ({ framesOnTime, framesLate }: LaneFigures): number => framesOnTime + framesLate;

withTun('a lane over the TCP of the kernel delivers everything, over the link of the lanes', async () => {
  const { show, stop, pictures } = playing([KERNEL], 'loss=5% delay=10ms seed=1');
  await expect.poll(() => shown(show.figures[0]!), PATIENCE).toBeGreaterThan(60);
  const figures = show.figures[0]!;
  expect(figures.framesLost).toBe(0);
  // The kernel has retransmitted the link's losses.
  expect(figures.packetsLost).toBeGreaterThan(0);
  expect(figures.packetsAgain).toBeGreaterThan(0);
  expect(pictures()).toBeGreaterThanOrEqual(shown(figures));
  const { packets } = readPcapng(Buffer.from(show.captureFile(0)!));
  expect(packets.length).toBeGreaterThan(figures.packets);
  // A restart is another connection in the same network.
  const before = insiders();
  expect(before).toHaveLength(1);
  show.restart(SOURCE);
  expect(shown(show.figures[0]!)).toBe(0);
  await expect.poll(() => shown(show.figures[0]!), PATIENCE).toBeGreaterThan(20);
  expect(insiders()).toEqual(before);
  stop();
  await expect.poll(insiders, PATIENCE).toEqual([]);
});

withTun('its network ends with the lane, and the other lanes go on', async () => {
  const udp: LaneSettings = { ...KERNEL, transport: 'udp', kernel: false };
  const { show } = playing([udp, KERNEL], 'delay=10ms seed=1');
  await expect.poll(() => shown(show.figures[1]!), PATIENCE).toBeGreaterThan(10);
  const { run } = show.figures[0]!;
  show.change([udp]);
  await expect.poll(insiders, PATIENCE).toEqual([]);
  expect(show.figures.map((figures) => figures.run)).toEqual([run]);
});
