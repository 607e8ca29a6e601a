import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { instant, milliseconds, ticks, ticksToMicroseconds } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { Timeline } from '../../../protocol/codec/nal/timeline.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../../protocol/stream-parameters.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import { receiverOptions } from '../../../receiver/receiver-options.ts';
import { Packetizer } from '../../../sender/packetizer.ts';
import { nalText } from '../../io/sources/media.ts';
import { picturesOf, sampleNalUnits } from '../../protocol/codec/h265/streams.ts';

const H265 = codecByName('h265');
const timeline = new Timeline();
const UNITS = [...picturesOf(sampleNalUnits()).flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
/** The first CRA picture of the sample; three leading pictures that refer to earlier ones follow it. */
const FIRST_CRA = 21;

/** Returns what a receiver shows and drops of units that come without loss, each at its decode time. */
function received(units: readonly AccessUnit[]) {
  const parameters = streamParameters({
    codec: H265,
    ssrc: 7,
    initialSequence: wireSequence(65_500),
    timestampBase: wireTimestamp(0xffff_0000),
    latency: milliseconds(200),
  });
  const packetizer = new Packetizer({
    codec: H265,
    clockRate: 90_000,
    ssrc: 7,
    payloadType: parameters.payloadType,
    initialSequence: wireSequence(65_500),
    timestampBase: wireTimestamp(0xffff_0000),
    initialFrameNumber: 0,
    datagramBytesMax: 200,
    frameMarks: true,
  });
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: 1 }));
  const shown: AccessUnit[] = [];
  const dropped: [number, string][] = [];
  const runTo = (at: number) => {
    for (let due = receiver.pollTimeout(); due !== undefined && due <= at; due = receiver.pollTimeout()) {
      receiver.handleTimeout(due);
    }
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
      if (event.kind === 'access-unit') shown.push(event.unit);
      else if (event.kind === 'dropped') dropped.push([event.frame, event.cause]);
    }
  };
  let at = 0;
  for (const unit of units) {
    at = ticksToMicroseconds(ticks(unit.decodeTimestamp - units[0]!.decodeTimestamp));
    runTo(at);
    for (const datagram of packetizer.packetize(unit).datagrams) receiver.handleDatagram(instant(at), datagram);
  }
  runTo(at + milliseconds(1_000));
  receiver.assertBalanced();
  return { shown, dropped };
}

test('shows the leading pictures of a key frame when the stream before it was decoded', () => {
  const { shown, dropped } = received(UNITS);
  expect(dropped).toEqual([]);
  expect(nalText(shown)).toEqual(nalText(UNITS));
});

test('drops the leading pictures that refer to pictures before the key frame at which a stream is joined', () => {
  const joined = UNITS.slice(FIRST_CRA);
  const { shown, dropped } = received(joined);
  expect(dropped).toEqual([1, 2, 3].map((frame) => [frame, 'undecodable']));
  expect(nalText(shown)).toEqual(nalText(joined.toSpliced(1, 3)));
});
