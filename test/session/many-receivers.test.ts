import { expect, onTestFinished, test } from 'vitest';
import {
  controlFrame,
  join,
  onLoopback,
  openConnection,
  type PlainReceiver,
  reach,
} from '../../bench/plain-receiver.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { type WireSequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { until } from '../io/net/control-peers.ts';
import { madeUpUnits, serve } from '../loopback-session.ts';

const RECEIVERS = 16;
/** Two seconds. */
const PACKETS = 500;

/** Returns the sequence numbers of the media that a receiver gets, in the order of arrival. */
function listen({ media, welcome }: PlainReceiver): readonly number[] {
  const sequences: number[] = [];
  media.on('message', (datagram) => {
    if (datagram.length >= 12 && datagram.readUInt32BE(8) === welcome.ssrc) sequences.push(datagram.readUInt16BE(2));
  });
  return sequences;
}

const request = ({ welcome, send }: PlainReceiver, sequenceNumbers: readonly WireSequence[]) =>
  send(serializeRtcp([{ kind: 'nack', senderSsrc: 7, mediaSsrc: welcome.ssrc, sequenceNumbers }]));

/** Runs something until the test has finished. */
function repeat(everyMs: number, work: () => void): void {
  const timer = setInterval(work, everyMs);
  onTestFinished(() => clearInterval(timer));
}

test('a slow, a lossy and a hostile receiver among many disturb nobody', async () => {
  const { server } = await serve(madeUpUnits(150), { loop: true, receiversMax: RECEIVERS + 3 });
  const target = onLoopback(server.port);
  const slow = await join(target, 'tcp');
  // Its media connection is opened, proved by one packet (RFC 4571), and not read.
  const stream = openConnection(target).pause();
  stream.write(controlFrame({ kind: 'attach', session: slow.welcome.session, key: slow.welcome.key }));
  const report = serializeRtcp([{ kind: 'receiver-report', ssrc: 7, reports: [] }]);
  stream.write(Buffer.concat([Buffer.of(report.length >> 8, report.length & 0xff), report]));
  const lossy = await reach(target);
  const lossyHeard = listen(lossy);
  repeat(20, () => {
    const recent = lossyHeard.slice(-20).map((each) => wireSequence(each));
    if (recent.length > 0) request(lossy, recent);
  });
  const hostile = await reach(target);
  const all = Array.from({ length: 6_000 }, (_, index) => wireSequence(index));
  const nack = { kind: 'nack', senderSsrc: 7, mediaSsrc: hostile.welcome.ssrc, sequenceNumbers: all } as const;
  const storm = serializeRtcp([nack]);
  repeat(20, () => {
    hostile.send(storm);
    hostile.control.write(controlFrame({ kind: 'request-keyframe' }));
  });
  const others = await Promise.all(Array.from({ length: RECEIVERS }, () => reach(target)));
  for (const { control, media } of [...others, lossy, hostile]) {
    onTestFinished(() => void media.close());
    onTestFinished(() => void control.destroy());
  }
  onTestFinished(() => void stream.destroy());
  onTestFinished(() => void slow.control.destroy());
  const heard = others.map(listen);
  for (const receiver of others) {
    repeat(500, () => receiver.send(serializeRtcp([{ kind: 'receiver-report', ssrc: 8, reports: [] }])));
  }
  await until('everybody has seen two seconds', () => heard.every(({ length }) => length >= PACKETS));
  for (const sequences of heard) {
    const first = sequences[0]!;
    expect(sequences).toEqual(sequences.map((_, index) => (first + index) & 0xffff));
  }
  const statistics = server.status.receivers.map((session) => session.statistics);
  // The lossy one was answered, and the hostile one was not.
  expect(statistics.some(({ retransmissions }) => retransmissions > 0)).toBe(true);
  expect(statistics.some(({ requestsRefused }) => requestsRefused > 10_000)).toBe(true);
});
