import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syntheticCapture } from '../../bench/capture/synthetic-capture.ts';
import { captureResult } from '../../lab/capture/capture-result.ts';
import { openCapture } from '../../lab/capture/open-capture.ts';
import { instant } from '../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../protocol/capture/captured-datagrams.ts';
import { pcapHeader } from '../../protocol/capture/pcap.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../protocol/capture/pcapng.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { sharedPath, withSharedMedia } from '../protocol/shared-media.ts';
import { lab } from './dropframe-process.ts';

const LINE = 'loss=4% burst=3 delay=20ms jitter=8ms';

function captures(folder: string) {
  const link = parseLink(`${LINE} seed=4`);
  const truth = {
    seed: 4,
    line: LINE,
    link,
    sides: 'two',
    packets: 3_000,
    media: 'sound',
    offsetUs: 9_000,
    driftPpm: 0,
  } as const;
  const { sender, receiver } = syntheticCapture(truth);
  const paths = [join(folder, 'sender.pcap'), join(folder, 'receiver.pcap')] as const;
  writeFileSync(paths[0], sender!);
  writeFileSync(paths[1], receiver);
  return paths;
}

test('a capture at both ends becomes a line, a replay and a page', async () => {
  const folder = temporaryFolder();
  const [sender, receiver] = captures(folder);
  const [trace, page] = [join(folder, 'my $& office.path'), join(folder, 'office.html')];
  const { output, ended } = lab(
    'capture',
    sender,
    receiver,
    '--json',
    '--delay',
    '20ms',
    '--out',
    trace,
    '--report',
    page,
  );
  expect(await ended, output.stderr).toBe(0);
  const fit = JSON.parse(output.stdout);
  expect(fit).toMatchObject({ kind: 'capture', sides: 'two' });
  expect(fit.loss.loss.low).toBeLessThan(0.04);
  expect(fit.loss.loss.high).toBeGreaterThan(0.04);
  expect(parseLink(fit.link)).toMatchObject({ delay: 20_000 });
  expect(output.stderr).toContain(`link: ${fit.link}`);
  expect(output.stderr).toContain('(NAT)');
  expect(output.stderr).toContain(`replay: pathtrace="${trace}"`);
  const replay = parseLink(`pathtrace="${trace}"`, () => ({ ok: true, value: readFileSync(trace, 'utf8') }));
  expect(replay.lossModel?.kind).toBe('path-trace');
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('<svg');
  expect(html).not.toMatch(/NaN|undefined|https?:\/\/(?!www\.w3\.org)/);
});

test('what cannot be read is one clear line', async () => {
  const folder = temporaryFolder();
  const [sender, receiver] = captures(folder);
  const file = (name: string, content: Uint8Array | string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const whole = readFileSync(receiver);
  const refused = async (files: readonly string[], options = {}) => {
    const error = await openCapture({ files, ...options }).then(
      () => new Error('it was opened'),
      (reason: unknown) => reason as Error,
    );
    return error.message.replaceAll(`${folder}/`, '');
  };
  expect(await refused([folder])).toMatch(/is a directory; give a capture or a trace file$/);
  expect(await refused([file('empty', '')])).toBe('empty is empty');
  expect(await refused([join(folder, 'none')])).toBe('cannot read none: there is no such file or directory');
  expect(await refused([file('head', pcapHeader())])).toBe('head: it contains no packets');
  expect(await refused([file('text', 'some text')])).toMatch(
    /^text is not a capture that can be read: it begins neither/,
  );
  expect(await refused([file('few', whole.subarray(0, 24 + 56 * 30))])).toMatch(/a fit needs 100$/);
  expect(await refused([receiver], { ssrc: 5 })).toMatch(
    /^receiver.pcap has no stream with that SSRC; it has 0x10000004/,
  );
  expect(await refused([receiver, receiver])).toBe(
    'both captures are receiver.pcap: give the one of the sender and the one of the receiver',
  );
  const slow = await openCapture({ files: [receiver], clockRate: 8 });
  expect(() => captureResult(slow, undefined)).toThrow(
    'the RTP timestamps do not run at 8 Hz; give another --clock-rate',
  );
  const other = Uint8Array.from(whole);
  for (let at = 24; at < other.length; at += 56) other[at + 16 + 28 + 11] = 9;
  expect(await refused([sender, file('other', other)], { ssrc: 0x10000004 })).toMatch(
    /^other has no stream with that SSRC; it has 0x10000009/,
  );
  expect(await refused(['/dev/null'])).toBe('/dev/null is not a regular file; write it to disk first');
  expect(await refused([receiver, sender])).toMatch(
    /packets are only in the second capture; the sender's capture comes first$/,
  );
  const noise = Uint8Array.from(whole);
  for (let at = 24; at < noise.length; at += 56) noise[at + 16 + 28] = 0;
  expect(await refused([file('noise', noise)])).toMatch(/^noise: no RTP in its \d+ UDP datagrams/);
  const cut = await openCapture({ files: [file('cut', whole.subarray(0, whole.length - 9))] });
  expect(cut.warnings.join()).toMatch(/cut ends within a packet; what precedes it is used$/);
});

test('a file with two interfaces has both ends on one clock, which tells the least delay', async () => {
  const path = join(temporaryFolder(), 'both.pcapng');
  const datagrams = new CapturedDatagrams();
  const blocks = [sectionHeader(), interfaceDescription('near'), interfaceDescription('far')];
  for (let index = 0; index < 200; index++) {
    const rtp = Uint8Array.of(0x80, 111, 0, index, 0, 0, 3 * (index >> 4), 0, 0, 0, 0, 9, 1, 2, 3);
    for (const [interfaceIndex, at] of [
      [0, 20_000 * index],
      [1, 20_000 * index + 35_000],
    ] as const) {
      const packet = datagrams.wrap('forward', rtp);
      blocks.push(enhancedPacket({ interfaceIndex, at: instant(1e9 + at), packet }));
    }
  }
  writeFileSync(path, Buffer.concat(blocks));
  const opened = await openCapture({ files: [path] });
  expect(opened.isOneClock).toBe(true);
  expect(captureResult(opened, undefined).line).toBe('delay=35ms');
});

test('both ends of more than one cycle of sequence numbers keep their places', async () => {
  const path = join(temporaryFolder(), 'long.pcapng');
  const datagrams = new CapturedDatagrams();
  const blocks = [sectionHeader(), interfaceDescription('near'), interfaceDescription('far')];
  for (let index = 0; index < 66_000; index++) {
    const rtp = Uint8Array.of(0x80, 111, index >> 8, index, 0, index >> 16, index >> 8, index, 0, 0, 0, 9);
    const packet = datagrams.wrap('forward', rtp);
    blocks.push(enhancedPacket({ interfaceIndex: 0, at: instant(1e9 + 1_000 * index), packet }));
    blocks.push(enhancedPacket({ interfaceIndex: 1, at: instant(1e9 + 1_000 * index + 500), packet }));
  }
  writeFileSync(path, Buffer.concat(blocks));
  const { observation, warnings } = await openCapture({ files: [path] });
  expect(warnings.join()).toContain('at interfaces 0 and 1');
  expect(observation.arrived[0]).toBe(500);
});

withSharedMedia('the losses and the order of a recorded stream are those of its description', async () => {
  const opened = await openCapture({ files: [sharedPath('pcap/h264_shuffled-lossy_a.pcap')] });
  const { fitPath } = await import('../../lab/capture/fit-path.ts');
  const { loss, reordering } = fitPath(opened.observation);
  expect([loss.lost, reordering.late]).toEqual([6, 313]);
});
