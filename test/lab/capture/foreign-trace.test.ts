import { describe, expect, test } from 'vitest';
import { readForeignTrace } from '../../../lab/capture/foreign-trace.ts';
import { parseLink } from '../../../sim/link/link-parse.ts';

function read(text: string, direction: 'down' | 'up' = 'down') {
  const trace = readForeignTrace(text, direction);
  if (!trace.ok) throw new Error(trace.malformed);
  // Each line is one that a link understands.
  parseLink(trace.value.line, () => ({ ok: true, value: trace.value.capacity ?? '' }));
  return trace.value;
}

test('a Mahimahi trace is replayed as it is', () => {
  expect(read('0\n5\n5\n10\n')).toMatchObject({ format: 'Mahimahi', line: 'trace=FILE' });
});

test('AlphaRTC patterns become timed changes of one line', () => {
  const pattern = [
    { duration: 60_000, capacity: 300, loss: 0.1, rtt: 85, jitter: 0 },
    { duration: 1_000, capacity: 500, loss: 0, rtt: 40, jitter: 4 },
  ];
  const text = JSON.stringify({ type: 'video', downlink: {}, uplink: { trace_pattern: pattern } });
  const { line, facts } = read(text);
  expect(line).toBe(
    'loss=10% delay=42500us jitter=0us rate=300kbit at 60000ms: loss=0% delay=20000us jitter=4000us rate=500kbit',
  );
  expect(facts[0]).toEqual(['direction', 'uplink']);
});

test('many AlphaRTC patterns become a capacity trace with the same mean', () => {
  const patterns = Array.from({ length: 200 }, (_, index) => ({ duration: 200, capacity: 1_000 + 10 * index }));
  const { line, capacity } = read(JSON.stringify({ downlink: { trace_pattern: patterns } }));
  expect(line).toBe('trace=FILE loss=0% delay=0us jitter=0us');
  const opportunities = capacity!.trim().split('\n').length;
  expect((opportunities * 1_504 * 8) / 40 / 1e6).toBeCloseTo(1.995, 2);
});

test('a sparkrtc trace gives capacity, mean loss and half of the shortest round trip', () => {
  const { line, untold } = read(`${'8Mbps 24ms 0.02\n'.repeat(500)}${'4000kbps 20ms 0\n'.repeat(500)}`);
  expect(line).toBe('trace=FILE loss=1% delay=10000us');
  expect(untold.join()).toContain('which packets are lost');
});

test('a CellReplay train trace gives its base delays', () => {
  const lines = Array.from({ length: 101 }, (_, index) => `${index * 100} ${20 + index} 0 1 1 2`).join('\n');
  expect(read(lines).line).toBe(
    'delay=20ms quantiles=0ms@0%/5ms@5%/25ms@25%/50ms@50%/75ms@75%/95ms@95%/100ms@100% order=kept',
  );
});

test('ERRANT profiles become one link each', () => {
  const head = 'operator,country,rat,signal_quality,download_kbps,upload_kbps,latency_ms_avg,latency_ms_stdev';
  const text = `${head}\nacme,sweden,4G,good,33300.98,11338.09,80,40\nacme,sweden,3G,bad,3000,900,140,90\n`;
  const { facts, line } = read(text, 'up');
  expect(line).toBe('rate=11338kbit delay=40.0ms jitter=28.3ms dist=normal order=kept');
  expect(facts.map(([name]) => name)).toEqual(['acme sweden 4G good', 'acme sweden 3G bad']);
});

describe('nonsense is one clear line', () => {
  test.each([
    ['', 'it is empty'],
    ['hello\n', "neither a capture (pcap, pcapng) nor a known trace; its first line is 'hello'"],
    ['5\n3\n', 'line 2: 3 follows 5; times must not decrease'],
    ['{"uplink', 'it begins like JSON and is none'],
    ['{}', 'it has no trace_pattern of uplink or downlink'],
    ['{"uplink":{"trace_pattern":[{"duration":-1,"capacity":3}]}}', /^uplink\.trace_pattern\.0\.duration: /],
    ['{"uplink":{"trace_pattern":[{"duration":5,"capacity":3,"loss":7}]}}', /loss: expected a share from 0 to 1$/],
    ['5Mbps 20ms 0\nnever\n', "line 2: 'never' is not a capacity, a round trip and a loss"],
    ['5Mbps 20ms 3\n', 'a loss is above 1; expected shares such as 0.02'],
    ['8888888Gbps\n', 'its capacity is more than 20000000 packets'],
    ['0.0001kbps\n', 'its capacity is below one packet for the whole trace'],
    ['0 20 1\n5 x\n', "line 2: '5 x' is not a time and a base delay in ms"],
    ['5Mbps 200000ms 0\n', /^no link describes it: 'delay=100000000us'/],
    [
      '{"uplink":{"trace_pattern":[{"duration":86400000,"capacity":3},{"duration":1,"capacity":4}]}}',
      'it is longer than a day',
    ],
    ['0 20 1\n', 'a CellReplay trace has at least three lines'],
    ['operator,country,rat,signal\n1,2,3,4', 'line 1: the column download_kbps is missing'],
  ])('%j', (text, message) => {
    const trace = readForeignTrace(text, 'down');
    if (trace.ok) throw new Error('it was read');
    if (message instanceof RegExp) expect(trace.malformed).toMatch(message);
    else expect(trace.malformed).toBe(message);
  });
});
