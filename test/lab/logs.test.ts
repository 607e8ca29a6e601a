import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Cell, canonicalLink, cellId } from '../../lab/cell.ts';
import { NO_FILES } from '../../lab/cell-source.ts';
import { computeCell } from '../../lab/compute-cell.ts';
import { runCell } from '../../lab/run-cell.ts';
import type { StrategyName } from '../../lab/strategies.ts';
import { isInstalled } from '../interop/programs.ts';
import { optional } from '../optional.ts';

const withTshark = optional('tshark', isInstalled('tshark'));

function cell(strategy: StrategyName, changes: { readonly link?: string; readonly frames?: number } = {}): Cell {
  const line = canonicalLink(changes.link ?? 'loss=5% delay=20ms', 1);
  const frames = changes.frames ?? 60;
  return {
    strategy,
    parameters: {},
    source: { kind: 'synthetic', fps: 30, kbps: 500, keyInterval: 30, keyFrameRatio: 4, frames },
    forward: line,
    back: line,
    budgetMs: 200,
    warmUpSeconds: 0,
    release: 'asap',
    seed: 1,
  };
}

function made(strategy: StrategyName) {
  const measured = cell(strategy);
  const order = { id: cellId(measured), cell: measured, attachments: ['events.qlog', 'capture.pcapng'] as const };
  return computeCell(order, { files: NO_FILES, code: 'test' });
}

describe('the event log', () => {
  const { finished, attachments } = made('nack');
  const records = new TextDecoder()
    .decode(attachments.get('events.qlog'))
    .split('\u001e')
    .slice(1)
    .map((text) => JSON.parse(text));

  test('is a JSON text sequence with a header record', () => {
    expect(records[0]).toMatchObject({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      event_schemas: ['urn:dropframe:lab'],
      trace: { common_fields: { reference_time: { clock_type: 'virtual', epoch: 'unknown' } } },
    });
  });

  test('has every frame and loss in order of time', () => {
    const events = records.slice(1) as { time: number; name: string; data: { kind?: string } }[];
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort((one, other) => one - other));
    const count = (name: string, kind?: string) =>
      events.filter((event) => event.name === `lab:${name}` && (kind === undefined || event.data.kind === kind)).length;
    expect(count('frame_captured')).toBe(60);
    expect(count('frame_rendered') + count('frame_missed')).toBe(60);
    expect(count('packet_sent', 'media')).toBe(finished.row.packetsSent);
    expect(count('packet_lost', 'media')).toBe(finished.row.packetsLost);
    expect(count('frame_recovered')).toBeGreaterThan(0);
  });

  test('marks no TCP frame as recovered, because TCP does not report repairs', () => {
    const text = new TextDecoder().decode(made('tcp-reno').attachments.get('events.qlog'));
    expect(text.match(/"lab:frame_complete"/g)).toHaveLength(60);
    expect(text).not.toContain('lab:frame_recovered');
  });
});

describe('the capture', () => {
  withTshark('is valid for tshark, with sent and received packets of UDP and TCP', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dropframe-capture-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const [strategy, protocol] of [
      ['none', 'udp'],
      ['tcp-cubic', 'tcp'],
    ] as const) {
      const { attachments, finished } = made(strategy);
      const file = join(folder, `${strategy}.pcapng`);
      writeFileSync(file, attachments.get('capture.pcapng')!);
      const fields = ['-e', 'frame.interface_name', '-e', 'ip.src', '-e', '_ws.malformed', '-e', 'ip.proto'];
      // Each segment appears twice, once per end, so tshark must not reassemble.
      const text = execFileSync(
        'tshark',
        ['-r', file, '-o', 'tcp.desegment_tcp_streams:FALSE', '-T', 'fields', ...fields],
        { encoding: 'utf8' },
      );
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      const sent = lines.filter(([end, from]) => end === 'sender' && from === '192.0.2.1').length;
      const got = lines.filter(([end, from]) => end === 'receiver' && from === '192.0.2.1').length;
      expect(sent).toBeGreaterThanOrEqual(finished.row.datagramsForward);
      expect(sent).toBeLessThanOrEqual(finished.row.datagramsForward + 4);
      expect(got).toBeLessThan(sent);
      expect(new Set(lines.map(([, , , number]) => number))).toEqual(new Set([protocol === 'udp' ? '17' : '6']));
      expect(lines.filter(([, , malformed]) => malformed)).toEqual([]);
    }
  });
});

describe('TCP strategies', () => {
  test('deliver every frame after the delay of a clean path', () => {
    const { row } = runCell(cell('tcp-cubic', { link: 'delay=20ms', frames: 150 }), NO_FILES);
    expect(row).toMatchObject({
      frames: 150,
      framesInTime: 150,
      packetsLost: 0,
      bytesRetransmission: 0,
      framesRefused: 0,
    });
    expect(row.delayUsP50).toBe(20_000);
  });

  test.each(['tcp-reno', 'tcp-cubic', 'tcp-bbr'] as const)('%s loses no frame; losses cost time', (strategy) => {
    const { row } = runCell(cell(strategy, { frames: 300 }), NO_FILES);
    expect(row.packetsLost).toBeGreaterThan(10);
    expect(row.framesOnTime + row.framesLate).toBe(300);
    expect(row.framesDecodable).toBe(300);
    expect(row.framesInTime).toBe(row.framesOnTime);
    expect(row.bytesRetransmission).toBeGreaterThan(0);
    expect(row.bytesWasted).toBeLessThanOrEqual(row.bytesRetransmission);
    // A retransmission takes at least one round trip.
    expect(row.delayUsMax).toBeGreaterThan(60_000);
  });
});
