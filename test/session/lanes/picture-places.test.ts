import { expect, onTestFinished, test } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { type LaneSettings, parseLanePicture } from '../../../protocol/page/lane-message.ts';
import { LaneShow } from '../../../session/lanes/lane-show.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { until } from '../../io/net/control-peers.ts';
import { sourceOf } from '../../loopback-session.ts';

const TICKS_PER_PICTURE = 90_000 / 50;
/** Display order of the pictures of each group, in the order of decoding: with B-frames, and without. */
const REORDERED = [0, 3, 1, 2, 6, 4, 5];
const PLAIN = [0, 1, 2, 3, 4];
/** Decoding of the reordered ones begins this many pictures before their display. */
const AHEAD = 2;
const LANE: LaneSettings = {
  ...{ transport: 'udp', recovery: 'hybrid', congestionControl: 'cubic', latencyMs: 40, onLoss: 'freeze' },
};

/** A source whose access units end with the source's mark and the number of the picture in the order of display. */
function marked(mark: number, group: readonly number[]): MediaSource {
  const numbers = [0, 1, 2].flatMap((round) => group.map((place) => round * group.length + place));
  const ahead = group === REORDERED ? AHEAD : 0;
  const units = numbers.map((number, index): AccessUnit => {
    const isKey = index % group.length === 0;
    return {
      parts: [Uint8Array.of(isKey ? 0x65 : 0x41, 0x80, mark, 0x80 | number)],
      timestamp: ticks(number * TICKS_PER_PICTURE),
      decodeTimestamp: ticks((index - ahead) * TICKS_PER_PICTURE),
      importance: isKey ? 'key' : 'reference',
    };
  });
  return sourceOf(units);
}

test('names each frame by the number of its picture, over B-frames, repetitions of the video and another video', async () => {
  const link = parseLinkSpecification('loss=5% delay=5ms');
  if (!link.ok) throw new Error(link.malformed);
  /** Mark and number in the picture of a frame, and the number that was said of it, by run and frame. */
  const inside = new Map<string, readonly [mark: number, number: number]>();
  const said = new Map<string, number>();
  const show = new LaneShow(
    {
      source: { name: 'first', media: marked(1, REORDERED) },
      inputs: new Map([['second', 'second']]),
      openInput: async () => marked(2, PLAIN),
      lanes: [LANE, { ...LANE, transport: 'tcp' }],
      link: link.value,
      loop: true,
      log: new Log({ level: 'error', json: false, write: () => {} }),
      readTrace: () => ({ ok: false, malformed: 'no traces' }),
      onEnd: () => {},
    },
    {
      picture: (_importance, _lane, message) => {
        const read = parseLanePicture(message);
        if (!read.ok) throw new Error(read.malformed);
        const { run, frame, data } = read.value;
        inside.set(`${run} ${frame}`, [data.at(-2)!, data.at(-1)! & 0x7f]);
      },
      sound: () => {},
      arrange: () => {},
      close: async () => {},
      announce: (announcement) => {
        if (announcement.kind !== 'events') return;
        for (const { run, frames } of announcement.lanes) {
          for (const [frame, , , , , number] of frames) said.set(`${run} ${frame}`, number);
        }
      },
    },
  );
  onTestFinished(() => show.close());
  /** Shown pictures of a source that were named. */
  const named = (mark: number) => [...inside].filter(([frame, [from]]) => from === mark && said.has(frame));
  // More than two rounds on each of two lanes.
  await until('the first video was repeated', () => named(1).length > 4 * 21);
  show.handleCommand({ kind: 'settings', source: 'second' }, () => {});
  await until('the second one was, too', () => named(2).length > 4 * 15);
  for (const [frame, [, number]] of [...named(1), ...named(2)])
    expect([frame, said.get(frame)]).toEqual([frame, number]);
});
