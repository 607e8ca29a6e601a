import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HeldCounters } from '../../../io/metrics/held-counters.ts';
import { type MetricFamily, writeMetrics } from '../../../io/metrics/metric-family.ts';
import { laneMetrics } from '../../../session/metrics/lane-metrics.ts';
import { receiverMetrics } from '../../../session/metrics/receiver-metrics.ts';
import { parseExposition } from '../../io/metrics/exposition.ts';
import { allMetrics, lane, lanes, plain, received, receivedSummary, relayed, served } from './all-metrics.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const samplesOf = (families: readonly MetricFamily[]) =>
  Object.fromEntries(parseExposition(writeMetrics(families)).samples);

test('every command writes what Prometheus parses', () => {
  for (const families of [served(), plain('udp'), received(), relayed(), lanes()]) {
    expect(Object.keys(samplesOf(families)).length).toBeGreaterThan(5);
  }
});

test('a sender has the worst of its receivers, and no label for each of them', () => {
  const samples = samplesOf(served());
  expect(samples).toMatchObject({
    'dropframe_send_receivers{protocol="dropframe"}': 2,
    'dropframe_send_receivers{protocol="rtsp"}': 1,
    'dropframe_send_receivers_joined_total{protocol="dropframe"}': 3,
    'dropframe_send_frames_total{protocol="rtsp"}': 20,
    'dropframe_send_retransmissions_total{protocol="whep"}': 5,
    dropframe_send_round_trip_max_seconds: 0.05,
    dropframe_send_reported_loss_max_ratio: 0.01,
    dropframe_send_target_bytes_per_second: 100_000,
    dropframe_send_path_bytes_per_second: 200_000,
  });
  expect(samplesOf(plain('rtp+ts'))).toMatchObject({ 'dropframe_send_frames_total{protocol="rtp+ts"}': 7 });
});

test('a receiver has seconds, bytes and each class once', () => {
  const samples = samplesOf(received());
  expect(samples).toMatchObject({
    'dropframe_receive_playout_delay_seconds{percentile="95"}': 0.121,
    dropframe_receive_stalled_seconds: 1.5,
    dropframe_receive_concealed_seconds_total: 0.25,
    dropframe_receive_round_trip_seconds: 0.04,
    dropframe_receive_bytes_per_second: 100_000,
    'dropframe_receive_unsent_datagrams_total{end="sender"}': 3,
    'dropframe_receive_discarded_datagrams_total{reason="not_authentic"}': 5,
  });
  const classes = Object.keys(samples).filter((name) =>
    name.startsWith('dropframe_receive_frames_total{stream="sound"'),
  );
  expect(classes).toHaveLength(8);
});

test('datagrams of a link are in one outcome, by direction', () => {
  expect(samplesOf(relayed())).toMatchObject({
    'dropframe_link_datagrams_total{direction="back",outcome="lost"}': 2,
    'dropframe_link_datagrams_total{direction="forward",outcome="delivered"}': 8,
    dropframe_link_clients: 1,
  });
});

test('lanes carry their number, transport and recovery', () => {
  expect(samplesOf(lanes())).toMatchObject({
    'dropframe_lane_lag_seconds{lane="1",transport="udp",recovery="hybrid",follows="false",percentile="50"}': 0.03,
    'dropframe_lane_delivered_bytes_per_second{lane="2",transport="tcp",recovery="cubic",follows="false"}': 900,
  });
});

test('counters of a receiver never fall', () => {
  const held = new HeldCounters();
  const incomplete = (count: number) => {
    const summary = { ...receivedSummary, frames: { ...receivedSummary.frames, incomplete: count } };
    const samples = samplesOf(receiverMetrics(summary, null, held));
    return samples['dropframe_receive_frames_total{stream="pictures",class="incomplete"}'];
  };
  // A dropped frame whose last packet arrives becomes an overdue one.
  expect([incomplete(5), incomplete(4), incomplete(6)]).toEqual([5, 5, 6]);
});

test('counters of a lane never fall within a run, and begin again with the next', () => {
  const held = new HeldCounters();
  const lost = (framesLost: number, run: number) => {
    const samples = samplesOf(laneMetrics([{ ...lane, figures: { ...lane.figures!, framesLost, run } }], 1, held));
    return Object.entries(samples).find(([name]) => name.includes('class="lost"'))?.[1];
  };
  // A lost frame whose last packet arrives becomes a late one.
  expect([lost(5, 0), lost(4, 0), lost(6, 0)]).toEqual([5, 5, 6]);
  expect([lost(2, 1), lost(1, 1)]).toEqual([2, 2]);
});

describe('the documentation', () => {
  const families = allMetrics();

  test('lists every name with its type and meaning', () => {
    const rows = [...new Map(families.map((family) => [family.name, family])).values()].map(({ name, type, help }) => {
      // A family that has no sample in one command has some in another.
      const samples = families.filter((family) => family.name === name).flatMap((family) => family.samples);
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      return `| \`${name}\` | ${type} | ${[...labels].join(', ')} | ${help} |`;
    });
    const page = readFileSync(join(DOCS, 'METRICS.md'), 'utf8');
    expect(page.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows);
  });

  test('has a Grafana dashboard that asks for names and labels that exist', () => {
    const board = JSON.parse(readFileSync(join(DOCS, 'grafana/dropframe.json'), 'utf8'));
    const labels = new Map<string, Set<string>>();
    for (const { name, samples } of families) {
      labels.set(name, new Set([...(labels.get(name) ?? []), ...samples.flatMap((one) => Object.keys(one.labels))]));
    }
    const targets: { expr: string; legendFormat: string }[] = board.panels.flatMap(
      ({ targets = [] }: { targets?: never[] }) => targets,
    );
    expect(targets.length).toBeGreaterThan(20);
    for (const { expr, legendFormat } of targets) {
      const names = [...expr.matchAll(/\b(?:dropframe|process)_\w+/g)].map(([name]) => name);
      expect(names, expr).toHaveLength(1);
      const known = labels.get(names[0]!);
      expect(known, expr).toBeDefined();
      const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        expect([...known!, 'instance'], `${expr} ${legendFormat}`).toContain(label);
        if (by) expect(by, expr).toContain(label);
      }
    }
    const [, query] = /^label_values\((\w+), job\)$/.exec(board.templating.list[1].query)!;
    expect(labels.has(query!)).toBe(true);
  });
});
