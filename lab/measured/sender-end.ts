import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { deserialize } from 'node:v8';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { FineWakeUp } from '../../io/os/fine-wake-up.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import {
  earlier,
  type Instant,
  inMilliseconds,
  instant,
  later,
  type Microseconds,
  milliseconds,
  sinceEpoch,
} from '../../protocol/base/units.ts';
import type { Recovery } from '../../protocol/control/recovery.ts';
import { Sender } from '../../sender/sender.ts';
import { TUN_ADDRESSES } from '../../session/tun/tun-path.ts';
import type { Script } from '../../sim/simulation.ts';
import { LiveFeed } from '../../sim/synthetic-stream.ts';
import { budgetOf } from '../cell.ts';
import type { SourceGuide } from '../cell-source.ts';
import { START } from '../media-run.ts';
import { percentile, sorted } from '../metrics/percentile.ts';
import { isKernelStrategy, simulatedTwin } from '../strategies.ts';
import { TCP_DRAIN } from '../tcp-strategy.ts';
import { endAnnouncedAfter, udpDrain, udpSenderOptions } from '../udp-strategy.ts';
import {
  type CapturedFrame,
  type EndOrder,
  type EndResult,
  RECEIVER_PORT,
  SENDER_PORT,
  sourceOf,
  type ToReceiver,
  type ToSender,
} from './end-order.ts';
import { KernelWriter } from './kernel-writer.ts';
import { readDuplicatesReported } from './tcp-statistics.ts';
import { warmUpConnections } from './warm-up-connection.ts';

// Sender's end of a measured cell: the command that runs on the virtual link. Starts the receiver's end as a separate
// process, streams in real time, waits until everything has arrived or timed out, and writes the observed times.

/** Pause between the start of both ends and the first frame, for compilers and allocators. */
const WARM_UP = milliseconds(300);

const { local, across } = TUN_ADDRESSES.ipv4;
const order = JSON.parse(readFileSync(argv[2]!, 'utf8')) as EndOrder;
const { cell, transitMin } = order;
assert(isKernelStrategy(cell.strategy), 'the ends must run a kernel strategy');
const twin = simulatedTwin(cell.strategy);
const offset = monotonicOffset();
const captured: CapturedFrame[] = [];
const lateness: number[] = [];

/** Transport of frames to the other end. */
interface Transport {
  /** Called just before the first frame. */
  begin(): void;
  /** @returns true when the frame was accepted. */
  send(unit: AccessUnit): boolean;
  finish(): void;
  /** How long frames may still arrive after the last one. */
  readonly drain: Microseconds;
  readonly givenUp: readonly number[];
  readonly socketDrops: number;
  /** Guide of an adaptive source; none over TCP. */
  readonly guide: SourceGuide;
}

const receiver = fork(fileURLToPath(import.meta.url).replace('sender-end', 'receiver-end'), [argv[2]!]);
const post = (message: ToReceiver): void => {
  if (receiver.connected) receiver.send(message);
};

async function overUdp(): Promise<Transport> {
  const options = { budget: budgetOf(cell), transitMin, parameters: cell.parameters };
  const sender = new Sender(udpSenderOptions(twin as Recovery, options));
  const driver = new EndpointDriver({
    endpoint: sender,
    transmit: (datagrams) => socket.send(datagrams),
    onEvent: (event) => {
      if (event.kind === 'keyframe-requested') keyFrameRequested = true;
    },
  });
  let keyFrameRequested = false;
  const socket = await DatagramSocket.open({
    host: local,
    port: SENDER_PORT,
    peer: { host: across, port: RECEIVER_PORT },
    onDatagram: (datagram) => driver.receive(datagram),
  });
  return {
    begin: () => {},
    send: (unit) => {
      const taken = sender.send(now(), unit) === 'queued';
      driver.drain();
      return taken;
    },
    finish: () => {
      sender.finish();
      driver.drain();
      setTimeout(
        () => {
          const { statistics, lastSequence = null } = sender;
          post({ kind: 'end-of-stream', frames: statistics.frames, lastSequence });
        },
        inMilliseconds(endAnnouncedAfter(transitMin)),
      );
    },
    drain: udpDrain({ budget: budgetOf(cell), transitMin }),
    givenUp: [],
    guide: {
      get targetBitrate() {
        return sender.targetBitrate;
      },
      takeKeyFrameRequest: () => {
        const requested = keyFrameRequested;
        keyFrameRequested = false;
        return requested;
      },
    },
    get socketDrops() {
      return socket.sendErrors + (socket.receiveDrops ?? 0);
    },
  };
}

async function overTcp(): Promise<Transport> {
  await warmUpConnections();
  let socket: Socket | undefined;
  const writer = new KernelWriter(cell.parameters);
  return {
    begin: () => {
      const addresses = { host: across, port: RECEIVER_PORT, localAddress: local, localPort: SENDER_PORT };
      socket = createConnection({ ...addresses, noDelay: true });
      // The receiver notices the error too, and reports it.
      socket.on('error', () => {});
      writer.open(socket);
    },
    send: (unit) => {
      writer.send(now(), unit);
      return true;
    },
    finish: () => writer.finish(),
    drain: TCP_DRAIN,
    get givenUp() {
      return writer.givenUp;
    },
    socketDrops: 0,
    guide: {},
  };
}

function stream(): void {
  const startAt = later(now(), WARM_UP);
  const opening: Script & { done: boolean } = {
    done: false,
    pollTimeout() {
      return this.done ? undefined : earlier(startAt, sinceEpoch(START));
    },
    run() {
      this.done = true;
      transport.begin();
    },
  };
  let guidance: CapturedFrame['guidance'] = { keyFrame: false };
  const source = sourceOf(cell, packed, {
    get targetBitrate() {
      const { targetBitrate } = transport.guide;
      guidance = { targetBitrate, keyFrame: false };
      return targetBitrate;
    },
    takeKeyFrameRequest: () => {
      const keyFrame = transport.guide.takeKeyFrameRequest?.() ?? false;
      guidance = { ...guidance, keyFrame };
      return keyFrame;
    },
  });
  const feed = new LiveFeed({
    startAt,
    ...source,
    deliver: (at, unit) => {
      // The sender may take longer than the capture.
      const capturedAt = later(at, offset);
      captured.push({ at: capturedAt, taken: transport.send(unit), guidance });
    },
    finish: () => {
      transport.finish();
      setTimeout(() => post({ kind: 'conclude' }), inMilliseconds(transport.drain));
    },
  });
  const runDue = () => {
    for (const script of [opening, feed]) {
      for (let due = script.pollTimeout(); due !== undefined && due <= now(); due = script.pollTimeout()) {
        const at = now();
        if (script === feed) lateness.push(at - due);
        script.run(at);
      }
      wakeUp.set(script.pollTimeout());
    }
  };
  const zero = instant(startAt - START + offset);
  receiver.on('message', (message: ToSender) => {
    if (message.kind !== 'result') return;
    // Its result is complete, so it may exit while the result is written.
    receiver.off('exit', endEarly);
    void end(zero, message);
  });
  onWakeUp = runDue;
  wakeUp.set(instant(startAt - START));
}

async function end(zero: Instant, { receipts, socketDrops, timerUsMax }: ToSender & { kind: 'result' }): Promise<void> {
  const late = sorted(lateness);
  const at = (share: number) => Math.round(percentile(late, share) ?? 0);
  const result: EndResult = {
    zero,
    endedAt: later(now(), offset),
    captured,
    givenUp: transport.givenUp,
    receipts,
    timerUs: { p50: at(0.5), p99: at(0.99), max: Math.max(at(1), timerUsMax) },
    duplicatesReported: twin.startsWith('tcp-') ? await readDuplicatesReported() : 0,
    socketDrops: socketDrops + transport.socketDrops,
  };
  writeFileSync(order.result, JSON.stringify(result));
  process.exit(0);
}

let onWakeUp = () => {};
const endEarly = () => process.exit(1);
receiver.on('exit', endEarly);
const ready = once(receiver, 'message');
const transport = await (twin.startsWith('tcp-') ? overTcp() : overUdp());
const packed = order.source === undefined ? undefined : deserialize(readFileSync(order.source));
const wakeUp = await FineWakeUp.open(() => onWakeUp());
await ready;
stream();
