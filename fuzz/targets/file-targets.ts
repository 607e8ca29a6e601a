import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FragmentedMp4Reader } from '../../io/mp4/fragmented-mp4-reader.ts';

import { Mp4Fragments } from '../../io/mp4/mp4-fragments.ts';
import { type Edit, readMp4Structure } from '../../io/mp4/mp4-structure.ts';
import { readMatroskaStructure } from '../../io/sources/matroska-structure.ts';
import { applyEdits } from '../../io/sources/mp4-edits.ts';
import { parseIpPacket } from '../../protocol/ip-packet.ts';
import { parseLanePicture } from '../../protocol/page/lane-message.ts';
import { parsePagePicture, parsePageSound } from '../../protocol/page/page-message.ts';
import { asDecodeOnly } from '../../protocol/page/picture-bytes.ts';
import { parseSegment } from '../../sim/tcp/segment.ts';
import type { Chance } from '../chance.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateBytes, withNumber } from '../mutate-bytes.ts';
import { SAMPLE_MP4 } from '../sample-files.ts';

const FRAGMENTS_MAX = 20;
const EDITED_SAMPLES = 60;
/** An edit list may repeat the film as often as it likes; a source yields it as time passes. */
const PLACED_MAX = 500;
const whole = (bytes: Uint8Array): FuzzInput => ({ choices: 0, steps: [{ pause: 0, bytes }] });

/** The movie box of the sample, in front of a little of its media. */
function movieOfSample(): Uint8Array {
  const file = readFileSync(SAMPLE_MP4);
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= file.length; ) {
    const size = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (size < 8) break;
    parts.push(file.subarray(at, Math.min(at + size, type === 'mdat' ? at + 2_000 : at + 60_000)));
    at += size;
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** Box lengths, entry counts and flags are numbers of 32 bits in front of everything else. */
function mutateBoxes(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(2)) return mutateBytes(bytes, chance);
  const names: number[] = [];
  for (let at = 4; at + 4 <= Math.min(bytes.length, 20_000); at++) {
    const isName = [0, 1, 2, 3].every((offset) => {
      const byte = bytes[at + offset]!;
      return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39);
    });
    if (isName) names.push(at);
  }
  if (names.length === 0) return mutateBytes(bytes, chance);
  const at = chance.of(names) + chance.of([-4, -4, 4, 8, 12, 16, 20]);
  const value = chance.of([0, 1, 7, 8, 9, 0xffff, 0x7fff_ffff, 0xffff_ffff, chance.below(5_000), chance.uint32()]);
  return withNumber(bytes, Math.max(0, at), { width: 4, value });
}

let folder: string | undefined;

/** Runs a reader of paths on an input. */
async function withFile(bytes: Uint8Array, read: (path: string) => Promise<void>): Promise<void> {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'dropframe-fuzz-'));
    folder = made;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  const path = join(folder, 'input');
  writeFileSync(path, bytes);
  await read(path);
}

async function readStructure(path: string, observed: Observed): Promise<void> {
  const structure = await readMp4Structure(path, 1);
  observed.see(structure ? 'movie' : 'no movie');
  if (!structure) return;
  observed.count('edits', structure.edits.length);
  observed.count('configurations', structure.configurations.length);
  observed.see(`fragments:${structure.fragmentDefaults !== undefined}`);
  for (let sample = 0; sample < Math.min(structure.samples, 100); sample++) {
    hold(structure.descriptionOf(sample) >= 0, 'a sample has a description');
  }
  await placeSamples(structure.edits, observed);
  const fragments = await Mp4Fragments.open(path, structure);
  try {
    for (let offset = 0, count = 0; count < FRAGMENTS_MAX; offset += 100, count++) {
      const facts = await fragments.at(offset);
      observed.count('samples', facts.samples);
      hold(facts.firstSample <= facts.endSample, 'samples are used in order');
    }
    observed.see(`cut:${fragments.isCut}`);
  } finally {
    await fragments.close();
  }
}

/** Applies an edit list to samples of 30 a second. */
async function placeSamples(edits: readonly Edit[], observed: Observed): Promise<void> {
  let placed = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  async function* samplesFrom(from: number) {
    const first = Math.max(0, Math.min(EDITED_SAMPLES, Math.floor(from * 30)));
    for (let index = first; index < EDITED_SAMPLES; index++) yield { mediaTime: index / 30, duration: 1 / 30 };
  }
  for await (const sample of applyEdits(edits, samplesFrom)) {
    hold(!Number.isNaN(sample.shownAt), 'a sample has a time');
    if (!sample.decodeOnly) hold(sample.shownAt >= shownAt, 'samples in order are shown in order');
    if (!sample.decodeOnly) shownAt = sample.shownAt;
    if (++placed >= PLACED_MAX) break;
  }
  observed.count('placed', placed);
}

export const mp4Target: FuzzTarget = {
  name: 'mp4',
  seeds: () => [whole(movieOfSample())],
  mutate: mutateBoxes,
  run: ({ steps }, observed) => withFile(steps[0]?.bytes ?? new Uint8Array(0), (path) => readStructure(path, observed)),
};

/** Fragmented MP4 as it comes from an encoder's pipe. */
export const fragmentTarget: FuzzTarget = {
  name: 'fragmented-mp4',
  seeds: () => [whole(movieOfSample())],
  mutate: mutateBoxes,
  run: ({ steps }, observed) => {
    const reader = new FragmentedMp4Reader();
    for (const { bytes } of steps) {
      const events = reader.push(bytes);
      if (!events.ok) return observed.reason(events.malformed);
      for (const event of events.value) observed.see(event.kind);
    }
  },
};

const MATROSKA = Uint8Array.from([
  ...[0x1a, 0x45, 0xdf, 0xa3, 0x84, 0x42, 0x86, 0x81, 0x01, 0x18, 0x53, 0x80, 0x67, 0x01, 0, 0, 0, 0, 0, 0, 0x20],
  ...[
    0x11, 0x4d, 0x9b, 0x74, 0x82, 0, 0, 0x15, 0x49, 0xa9, 0x66, 0x83, 1, 2, 3, 0x1f, 0x43, 0xb6, 0x75, 0x84, 0xe7, 0x81,
  ],
  ...[0, 0, 0xec, 0x81, 0],
]);

export const matroskaTarget: FuzzTarget = {
  name: 'matroska',
  seeds: () => [whole(MATROSKA)],
  mutate: mutateBytes,
  run: ({ steps }, observed) =>
    withFile(steps[0]?.bytes ?? new Uint8Array(0), async (path) => {
      const structure = await readMatroskaStructure(path);
      observed.see(structure ? `junk:${structure.hasJunk} cut:${structure.isCut}` : 'another format');
    }),
};

/** Pictures to the pages, and raw packets of a virtual network device. */
export const binaryTarget: FuzzTarget = {
  name: 'binary-messages',
  seeds: () => [
    whole(Uint8Array.from({ length: 60 }, (_, index) => index)),
    whole(
      Uint8Array.from([
        0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x13, 0x8c, 0x17, 0x74, 0, 20, 0, 0,
      ]),
    ),
    whole(
      Uint8Array.from([
        0x60,
        0,
        0,
        0,
        0,
        12,
        17,
        64,
        ...new Array(32).fill(1),
        0x13,
        0x8c,
        0x17,
        0x74,
        0,
        12,
        0,
        0,
        1,
        2,
        3,
        4,
      ]),
    ),
  ],
  mutate: mutateBytes,
  run: ({ steps }, observed) => {
    const bytes = steps[0]?.bytes ?? new Uint8Array(0);
    for (const [name, read] of [
      ['lane', parseLanePicture],
      ['page', parsePagePicture],
      ['ip', parseIpPacket],
      ['sound', parsePageSound],
      ['segment', parseSegment],
    ] as const) {
      const result = read(bytes);
      observed.reason(`${name}:${result.ok ? 'read' : result.malformed}`);
      if (result.ok && name === 'lane') asDecodeOnly(bytes);
    }
  },
};
