import { expect, test } from 'vitest';
import { asSequence, wireSequence } from '../../../protocol/rtp/sequence.ts';
import { SentNotices } from '../../../receiver/recovery/sent-notices.ts';

const HIGHEST = asSequence(65_530);
const named = (sequence: number) => wireSequence(sequence & 0xffff);

test('a notice reports the packets behind the newest one, also across a wrap', () => {
  const missing = new SentNotices().take(named(65_540), HIGHEST);
  expect(missing).toEqual({ after: 65_530, before: 65_541 });
});

test('each packet is reported once, however often it is named', () => {
  const notices = new SentNotices();
  notices.take(named(65_540), HIGHEST);
  expect(notices.take(named(65_540), HIGHEST)).toBeUndefined();
  expect(notices.take(named(65_538), HIGHEST)).toBeUndefined();
  expect(notices.take(named(65_542), HIGHEST)).toEqual({ after: 65_540, before: 65_543 });
});

test('a notice of what has arrived, or of more than a repair window ahead, reports nothing', () => {
  const notices = new SentNotices();
  expect(notices.take(named(65_530), HIGHEST)).toBeUndefined();
  expect(notices.take(named(65_530 + 513), HIGHEST)).toBeUndefined();
  expect(notices.take(named(65_530 + 512), HIGHEST)).toEqual({ after: 65_530, before: 65_530 + 513 });
});
