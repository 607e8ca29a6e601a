import { expect, test } from 'vitest';
import { instant, milliseconds } from '../../../protocol/base/units.ts';
import { PathWatch } from '../../../protocol/control/path-watch.ts';

const at = (ms: number) => instant(milliseconds(ms));

/** Findings with their times, while time is served every 50 ms and `act` says what arrives. */
function findings(
  watch: PathWatch,
  span: { from: number; to: number },
  act: (ms: number) => void = () => {},
): string[] {
  const found: string[] = [];
  for (let ms = span.from; ms <= span.to; ms += 50) {
    act(ms);
    const finding = watch.handleTimeout(at(ms));
    if (finding) found.push(`${ms} ${finding}`);
  }
  return found;
}

test('suspects the path after 0.4 s of silence, once', () => {
  expect(findings(new PathWatch(at(0)), { from: 50, to: 5_000 })).toEqual(['400 suspect']);
});

test('declares the path silent after two seconds while the control connection is alive', () => {
  const watch = new PathWatch(at(0));
  const found = findings(watch, { from: 50, to: 5_000 }, (ms) => ms % 1_000 === 0 && watch.handleControl());
  expect(found).toEqual(['400 suspect', '2000 silent']);
  expect(watch.heardEver).toBe(false);
});

test('waits for a message on the control connection that is newer than the silence', () => {
  const watch = new PathWatch(at(0));
  const found = findings(watch, { from: 50, to: 4_000 }, (ms) => (ms === 100 || ms === 3_000) && watch.handleControl());
  expect(found).toEqual(['400 suspect', '3000 silent']);
});

test('restarts with each datagram', () => {
  const watch = new PathWatch(at(0));
  const found = findings(watch, { from: 50, to: 2_000 }, (ms) => ms === 300 && watch.handlePacket());
  expect(found).toEqual(['700 suspect']);
});

test('does not mistake a stall of its own process for silence', () => {
  const watch = new PathWatch(at(0));
  watch.handlePacket();
  expect(watch.handleTimeout(at(100))).toBeUndefined();
  expect(watch.handleTimeout(at(9_000))).toBeUndefined();
  watch.handlePacket();
  expect(findings(watch, { from: 9_100, to: 9_450 })).toEqual([]);
});
