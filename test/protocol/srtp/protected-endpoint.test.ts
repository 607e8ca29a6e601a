import { expect, test } from 'vitest';
import { srtpCipher } from '../../../io/crypto/srtp-cipher.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { instant, later, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { IncomingContext } from '../../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../../protocol/srtp/outgoing-context.ts';
import { type DatagramProtection, ProtectedEndpoint } from '../../../protocol/srtp/protected-endpoint.ts';
import { type SrtpDirection, sessionMasterKeys } from '../../../protocol/srtp/srtp-keys.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import { receiverOptions } from '../../../receiver/receiver-options.ts';
import { Sender } from '../../../sender/sender.ts';
import { senderOptions } from '../../../sender/sender-options.ts';
import { Link } from '../../../sim/link/link.ts';
import { Simulation } from '../../../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../../../sim/synthetic-stream.ts';
import { agreed, differences, link, REPORT_SSRC, START } from '../../simulated-session.ts';
import { mac } from './contexts.ts';

const FRAMES = 300;

/** Both contexts of one end, with keys that change every 64 packets. */
function protection(outgoingWay: SrtpDirection, incomingWay: SrtpDirection) {
  const masterKeys = (way: SrtpDirection) => sessionMasterKeys(mac, new Uint8Array(32).fill(3), way);
  const common = { cipher: srtpCipher(), epochPackets: 64 };
  const outgoing = new OutgoingContext({ ...common, masterKeys: masterKeys(outgoingWay) });
  const incoming = new IncomingContext({ ...common, masterKeys: masterKeys(incomingWay) });
  const both: DatagramProtection = {
    protect: (datagram) => outgoing.protect(datagram),
    unprotect: (datagram) => incoming.unprotect(datagram),
  };
  return { both, incoming };
}

test('a stream crosses a path that loses, repeats, reorders and changes datagrams as it does without protection', () => {
  const parameters = agreed({ latency: milliseconds(400), datagramBytesMax: 1_180 });
  const sender = new Sender(senderOptions(parameters));
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
  const [atSender, atReceiver] = [protection('to-receiver', 'to-sender'), protection('to-sender', 'to-receiver')];
  const source = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 6_000,
    keyFrameBytes: 40_000,
    keyInterval: 30,
    frames: FRAMES,
    seed: 3,
  });
  const sent: AccessUnit[] = [];
  const received: AccessUnit[] = [];
  const feed = new LiveFeed({
    startAt: START,
    next: () => source.next(),
    deliver: (now, unit) => {
      if (sender.send(now, unit) === 'queued') sent.push(unit);
    },
    finish: () => sender.finish(),
  });
  const path = 'loss=3% dup=5% corrupt=2% delay=20ms jitter=10ms';
  let longest = 0;
  const simulation = new Simulation({
    sender: new ProtectedEndpoint(sender, atSender.both),
    receiver: new ProtectedEndpoint(receiver, atReceiver.both),
    forward: new Link(link(`${path} seed=3`), 'forward'),
    back: new Link(link(`${path} seed=3`), 'back'),
    scripts: [feed],
    onReceiverEvent: (_, event) => {
      if (event.kind === 'access-unit') received.push(event.unit);
    },
    onDatagram: (_now, _direction, datagram) => {
      longest = Math.max(longest, datagram.length);
    },
  });
  simulation.runUntil(later(START, seconds(FRAMES / 30)));
  const { frames, lastSequence } = { frames: sender.statistics.frames, lastSequence: sender.lastSequence };
  receiver.endOfStream(later(START, seconds(FRAMES / 30)), { frames, lastSequence });
  simulation.runUntil(instant(later(START, seconds(FRAMES / 30 + 5))));
  expect(differences(received, sent)).toEqual([]);
  expect(longest).toBeLessThanOrEqual(1_200);
  expect(atReceiver.incoming.refused.replayed).toBeGreaterThan(50);
  expect(atReceiver.incoming.refused.forged).toBeGreaterThan(10);
  // Packets changed or repeated on the path never reach the receiver.
  expect(receiver.statistics.malformed).toBe(0);
});
