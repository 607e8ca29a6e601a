import { expect, onTestFinished, test } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import { milliseconds } from '../../../protocol/base/units.ts';
import type { LaneAnnouncement, LaneSettings } from '../../../protocol/page/lane-message.ts';
import { LaneShow } from '../../../session/lanes/lane-show.ts';
import type { LaneShowOptions } from '../../../session/lanes/lane-show-options.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { until } from '../../io/net/control-peers.ts';
import { madeUpUnits, sourceOf } from '../../loopback-session.ts';

const LANE: LaneSettings = {
  ...{ transport: 'udp', recovery: 'hybrid', congestionControl: 'cubic', latencyMs: 40, onLoss: 'freeze' },
};
const FOLLOWING: LaneSettings = { ...LANE, follows: true };

/** A source with one key frame, at its beginning. */
function oneKey(): MediaSource {
  const units = madeUpUnits(1_000);
  return sourceOf(units.map((unit, index) => (index === 0 ? unit : { ...unit, importance: 'reference' })));
}

function adaptive(source: MediaSource): MediaSource {
  return {
    ...source,
    adaptive: {
      ...{ bitrateMin: 100_000, bitrateMax: 1_000_000, setTarget() {}, requestKeyFrame() {} },
      ...{ state: { bitrate: 500_000, width: 320, height: 240 }, leadTime: milliseconds(10) },
    } as never,
  };
}

function open(options: Partial<LaneShowOptions>) {
  const link = parseLinkSpecification('delay=5ms');
  if (!link.ok) throw new Error(link.malformed);
  const said: LaneAnnouncement[] = [];
  let pictures = 0;
  const show = new LaneShow(
    {
      source: { name: 'first', media: oneKey() },
      inputs: new Map([['second', 'second']]),
      openInput: async () => oneKey(),
      lanes: [LANE],
      link: link.value,
      loop: true,
      log: new Log({ level: 'error', json: false, write: () => {} }),
      readTrace: () => ({ ok: false, malformed: 'no traces' }),
      onEnd: () => {},
      ...options,
    },
    {
      picture: () => void pictures++,
      sound: () => {},
      arrange: () => {},
      close: async () => {},
      announce: (announcement) => void said.push(announcement),
    },
  );
  onTestFinished(() => show.close());
  return { show, said, begun: () => until('the only key frame has passed', () => pictures > 5) };
}

test('a lane follows once its encoder has started, however late, though another lane waits for a key frame', async () => {
  let started = (_: MediaSource | string) => {};
  let opened = 0;
  const openFollowed = () => {
    opened++;
    return new Promise<MediaSource | string>((resolve) => {
      started = resolve;
    });
  };
  const { show, said, begun } = open({ openFollowed });
  await begun();
  show.handleCommand({ kind: 'settings', lanes: [{ ...LANE, recovery: 'none' }, FOLLOWING] }, () => {});
  // Longer than a lane waits for a key frame of the source.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  started(adaptive(oneKey()));
  await until('the encoder is used', () => show.summary.encoder?.bitrate === 500_000);
  expect(opened).toBe(1);
  const state = said.findLast((announcement) => announcement.kind === 'state');
  expect(state).not.toHaveProperty('state.notFollowing');
});

test('where no encoder starts, the others begin again with the film', async () => {
  const runs = new Set<number>();
  const { show, said, begun } = open({ openFollowed: async () => 'there is none' });
  await begun();
  show.handleCommand({ kind: 'settings', lanes: [{ ...LANE, recovery: 'none' }, FOLLOWING] }, () => {});
  await until('a lane begins anew', () => {
    for (const announcement of said.splice(0)) {
      if (announcement.kind === 'events') runs.add(announcement.lanes[0]!.run);
    }
    return runs.size === 3;
  });
});

test('a command that waited until the show had closed opens nothing', async () => {
  let opened = (_: MediaSource) => {};
  let closed = 0;
  let kernels = 0;
  const openInput = () =>
    new Promise<MediaSource>((resolve) => {
      opened = resolve;
    });
  const kernelTcp = {
    obstacle: async () => undefined,
    open: () => {
      kernels++;
      throw new Error('opened');
    },
  } as never;
  const { show } = open({ openInput, kernelTcp });
  const kernel: LaneSettings = { ...LANE, transport: 'tcp', kernel: true };
  show.handleCommand({ kind: 'settings', lanes: [kernel], source: 'second' }, () => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await show.close();
  opened({ ...oneKey(), close: async () => void closed++ });
  await until('the source is closed', () => closed === 1);
  expect(kernels).toBe(0);
});

test('an older command does not undo what a newer one has changed while it waited', async () => {
  let answer = () => {};
  const obstacle = () =>
    new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
  const opened: string[] = [];
  const kernelTcp = {
    obstacle,
    open: () => {
      opened.push('lane');
      throw new Error('opened');
    },
  } as never;
  const openInput = async (input: string) => {
    opened.push(input);
    return oneKey();
  };
  const { show } = open({ openInput, kernelTcp });
  const kernel: LaneSettings = { ...LANE, transport: 'tcp', kernel: true };
  const newer: LaneSettings = { ...LANE, latencyMs: 90 };
  show.handleCommand({ kind: 'settings', lanes: [kernel], link: 'loss=2%', source: 'second' }, () => {});
  show.handleCommand({ kind: 'settings', lanes: [newer], link: 'loss=5%', source: 'first' }, () => {});
  answer();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(opened).toEqual([]);
  const { lanes, link, source } = show.summary;
  expect([lanes.map(({ settings }) => settings), link, source]).toEqual([[newer], 'loss=5% seed=1', 'first']);
});

test('an older command still changes what newer ones left alone, and its source does not undo a newer choice', async () => {
  const opened: ((media: MediaSource) => void)[] = [];
  let closed = 0;
  const openInput = () => new Promise<MediaSource>((resolve) => void opened.push(resolve));
  const { show } = open({ openInput });
  const older: LaneSettings = { ...LANE, latencyMs: 90 };
  show.handleCommand({ kind: 'settings', lanes: [older], link: 'loss=2%', source: 'second' }, () => {});
  show.handleCommand({ kind: 'settings', link: 'loss=5%', source: 'first' }, () => {});
  opened[0]!({ ...oneKey(), close: async () => void closed++ });
  await until('the source is closed', () => closed === 1);
  const { lanes, link, source } = show.summary;
  expect([lanes.map(({ settings }) => settings), link, source]).toEqual([[older], 'loss=5% seed=1', 'first']);
});
