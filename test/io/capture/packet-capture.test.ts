import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PacketCapture } from '../../../io/capture/packet-capture.ts';
import { Failure } from '../../../io/os/failure.ts';
import { ipv4, udp } from '../../protocol/ip-packets.ts';
import { temporaryFolder } from '../sources/media.ts';
import { readPcapng } from './pcapng.ts';

test('stores packets of any length with direction, comment and time', () => {
  const path = join(temporaryFolder(), 'capture.pcapng');
  const capture = new PacketCapture(path, 'tun0');
  const packets = [0, 1, 2, 3, 1_400, 60_000, 65_000].map((bytes) =>
    ipv4({ protocol: 17, payload: udp(1, 2, Array(bytes).fill(bytes & 0xff)) }),
  );
  const before = Date.now() / 1_000;
  for (const [index, packet] of packets.entries()) {
    if (index % 2 === 0) capture.write('out', packet, `number ${index}`);
    else capture.write('in', packet);
  }
  capture.close();
  const file = readPcapng(readFileSync(path));

  expect(file.linkType).toBe(101);
  expect(file.packets.map(({ bytes }) => Buffer.from(bytes))).toEqual(packets.map((bytes) => Buffer.from(bytes)));
  expect(file.packets.map(({ direction }) => direction).join(' ')).toBe('out in out in out in out');
  expect(file.packets.map(({ comment }) => comment)).toEqual(
    packets.map((_, index) => (index % 2 === 0 ? `number ${index}` : undefined)),
  );
  for (const { at } of file.packets) expect(Math.abs(at - before)).toBeLessThan(60);
});

test('reports a file that cannot be created in one line', () => {
  const path = join(temporaryFolder(), 'absent', 'capture.pcapng');
  expect(() => new PacketCapture(path, 'tun0')).toThrow(Failure);
  expect(() => new PacketCapture(path, 'tun0')).toThrow(/^cannot write the capture .*no such file or directory$/);
});

test('reports a full disk at the start, and accepts /dev/null', () => {
  const capture = new PacketCapture(join(temporaryFolder(), 'small.pcapng'), 'tun0');
  const full = new PacketCapture('/dev/null', 'tun0');
  expect([capture.failure, full.failure]).toEqual([undefined, undefined]);
  expect(() => new PacketCapture('/dev/full', 'tun0')).toThrow(/the disk is full/);
  capture.close();
  full.close();
});
