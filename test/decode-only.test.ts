import { expect, test } from 'vitest';
import { type AccessUnit, createStreamPair, SyntheticStream } from '../index.ts';
import { instant } from '../protocol/base/units.ts';
import { parsePagePicture, serializePagePicture } from '../protocol/page/page-message.ts';
import { AccessUnitDeframer, frameAccessUnit } from '../sim/tcp/access-unit-framing.ts';

const stream = new SyntheticStream({
  framesPerSecond: 30,
  frameBytes: 3_000,
  keyFrameBytes: 9_000,
  keyInterval: 10,
  frames: 10,
  seed: 1,
});

/** The first three frames are cut away by an edit list. */
const UNITS: readonly AccessUnit[] = Array.from({ length: 10 }, (_, index) => {
  const unit = stream.next()!;
  return index < 3 ? { ...unit, decodeOnly: true } : unit;
});

test('only frames that are not to be shown are marked decode-only at the receiver', () => {
  const { sender, receiver } = createStreamPair({ latencyMs: 100, recovery: 'none' });
  const received: AccessUnit[] = [];
  for (const [index, unit] of UNITS.entries()) {
    sender.send(instant(index * 33_333), unit);
    for (let step = 0; step < 33; step++) {
      const now = instant(index * 33_333 + step * 1_000);
      sender.handleTimeout(now);
      for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
        receiver.handleDatagram(now, datagram);
      }
    }
  }
  receiver.handleTimeout(instant(2_000_000));
  for (;;) {
    const event = receiver.pollEvent();
    if (event === undefined) break;
    if (event.kind === 'access-unit') received.push(event.unit);
  }
  expect(received.map((unit) => unit.decodeOnly)).toEqual(UNITS.map((unit) => unit.decodeOnly));
});

test('frames are marked decode-only over TCP as well', () => {
  const deframer = new AccessUnitDeframer();
  const units = UNITS.flatMap((unit, frame) => {
    const deframed = deframer.push(frameAccessUnit(frame, unit));
    return deframed === 'malformed' ? [] : deframed.map((each) => each.unit);
  });
  expect(units).toEqual(UNITS);
});

test('messages to the page carry the same flag', () => {
  const messages = UNITS.map(({ parts, timestamp, importance, decodeOnly }, number) =>
    parsePagePicture(
      serializePagePicture({
        number,
        key: importance === 'key',
        decodeOnly: decodeOnly === true,
        timestamp,
        sentAtMs: 0,
        parts,
      }),
    ),
  );
  expect(messages.map((picture) => picture.ok && picture.value.decodeOnly)).toEqual(
    UNITS.map((unit) => unit.decodeOnly),
  );
});
