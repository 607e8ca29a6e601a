import { expect, test } from 'vitest';
import { canonicalLink } from '../../lab/cell.ts';
import { type CellSource, NO_FILES, openCellSource } from '../../lab/cell-source.ts';
import type { PathObserver } from '../../lab/path-observer.ts';
import { runCell } from '../../lab/run-cell.ts';
import type { PathStrategyName, SimulatedStrategyName } from '../../lab/strategies.ts';
import { readUint32 } from '../../protocol/base/big-endian.ts';
import { instant, later, milliseconds } from '../../protocol/base/units.ts';
import { CONTROL_USER_AGENT } from '../../protocol/control/control-version.ts';
import type { Recovery } from '../../protocol/control/recovery.ts';
import { agreedParameters } from '../../protocol/control/stream-agreement.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import { rtpHeaderBytesOf } from '../../protocol/rtp/rtp-packet.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { Sender } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { MEDIA_SSRC, SIMULATED_START } from '../../sim/simulated-stream.ts';

/** Frames of some 8 packets, and key frames of some 40. */
const SOURCE: CellSource = { kind: 'synthetic', fps: 30, kbps: 2_500, keyInterval: 30, keyFrameRatio: 5, frames: 90 };
const BUDGET_MS = 150;

/** Length of a packet, and its frame mark. */
const onWire = (datagram: Uint8Array) => ({
  bytes: datagram.length,
  mark: Buffer.from(datagram.subarray(12, rtpHeaderBytesOf(datagram))).toString('hex'),
});

/** Media packets of a cell as they leave. */
function ofTheLaboratory(strategy: SimulatedStrategyName | PathStrategyName) {
  const packets: ReturnType<typeof onWire>[] = [];
  const observer: PathObserver = {
    onSent: (_now, direction, datagram) => {
      if (direction === 'forward' && !isRtcp(datagram) && readUint32(datagram, 8) === MEDIA_SSRC)
        packets.push(onWire(datagram));
    },
    onDelivered: () => {},
  };
  const [forward, back] = [canonicalLink('delay=20ms', 1), canonicalLink('delay=20ms', 1)];
  const shared = { parameters: {}, source: SOURCE, budgetMs: BUDGET_MS, warmUpSeconds: 0, seed: 1 };
  runCell({ ...shared, strategy, forward, back, release: 'deadline' }, NO_FILES, [observer]);
  return packets;
}

/** Media packets that the sender of a session transmits of the same source to a receiver of this version. */
function ofTheSession(recovery: Recovery) {
  const hello = { transport: 'udp', recovery, latencyMs: BUDGET_MS, userAgent: CONTROL_USER_AGENT } as const;
  const { codec, datagramBytesMax } = STREAM_DEFAULTS;
  const ssrc = 0x1234_5678;
  const sender = new Sender(
    senderOptions(agreedParameters(hello, { ...SIMULATED_START, codec, datagramBytesMax, ssrc })),
  );
  const source = openCellSource(SOURCE, NO_FILES.media);
  const packets: ReturnType<typeof onWire>[] = [];
  let now = instant(0);
  for (let unit = source.next(); unit; unit = source.next()) {
    sender.send(now, unit);
    for (const end = later(now, milliseconds(33)); now < end; now = later(now, milliseconds(1))) {
      sender.handleTimeout(now);
      for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
        if (readUint32(datagram, 8) === ssrc && !isRtcp(datagram)) packets.push(onWire(datagram));
      }
    }
  }
  return packets;
}

test.each(['none', 'reorder', 'nack', 'fec', 'hybrid'] as const)(
  'a simulated cell with %s sends the packets that a session sends, to the byte of their frame marks',
  (recovery) => {
    const simulated = ofTheLaboratory(recovery);
    expect(simulated.length).toBeGreaterThan(700);
    expect(simulated).toEqual(ofTheSession(recovery));
  },
);
