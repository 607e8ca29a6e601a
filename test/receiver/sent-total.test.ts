import { describe, expect, test } from 'vitest';
import { instant, milliseconds } from '../../protocol/base/units.ts';
import { asSequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { SentTotal } from '../../receiver/sent-total.ts';

const at = (ms: number) => instant(milliseconds(ms));
const known = (next: number) => ({ next, newest: () => undefined });

describe('the totals that a sender announces', () => {
  test('count as unseen when they are due, and not before', () => {
    const total = new SentTotal({ frame: 0, sequence: wireSequence(1_000) });
    total.announce({ frames: 30, packets: 100 }, at(150), at(0));
    total.handleTimeout(at(149));
    expect(total.unseen(known(10), asSequence(1_029))).toMatchObject({ frames: 0, packets: 0 });
    total.handleTimeout(at(150));
    expect(total.unseen(known(10), asSequence(1_029))).toEqual({
      frames: 20,
      packets: 70,
      end: { frames: 30, lastSequence: 1_099 },
    });
  });

  test('are seen once frames and packets beyond them have arrived', () => {
    const total = new SentTotal({ frame: 0, sequence: wireSequence(0) });
    total.announce({ frames: 30, packets: 100 }, at(0), at(0));
    total.handleTimeout(at(0));
    expect(total.unseen(known(31), asSequence(120))).toEqual({ frames: 0, packets: 0 });
  });

  test('have no effect while the first frame or packet is unknown', () => {
    const total = new SentTotal({ frame: undefined, sequence: wireSequence(0) });
    total.announce({ frames: 30, packets: 100 }, at(0), at(0));
    total.handleTimeout(at(0));
    expect(total.unseen(known(0), asSequence(0))).toEqual({ frames: 0, packets: 0 });
  });
});
