import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { argv } from 'node:process';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import { assert } from '../../protocol/base/assert.ts';
import { instant, later, milliseconds } from '../../protocol/base/units.ts';
import type { Recovery } from '../../protocol/control/recovery.ts';
import { Receiver, type ReceiverEvent } from '../../receiver/receiver.ts';
import { TUN_ADDRESSES } from '../../session/tun/tun-path.ts';
import { AccessUnitDeframer } from '../../sim/tcp/access-unit-framing.ts';
import { budgetOf } from '../cell.ts';
import { isKernelStrategy, simulatedTwin } from '../strategies.ts';
import { udpReceiverOptions } from '../udp-strategy.ts';
import {
  type EndOrder,
  RECEIVER_PORT,
  type Receipt,
  SENDER_PORT,
  type ToReceiver,
  type ToSender,
} from './end-order.ts';

// Receiver's end of a measured cell: a process started by sender-end.ts, which is on the other side of the link.

const { local, across } = TUN_ADDRESSES.ipv4;
const order = JSON.parse(readFileSync(argv[2]!, 'utf8')) as EndOrder;
const { strategy } = order.cell;
assert(isKernelStrategy(strategy), 'the ends must run a kernel strategy');
const twin = simulatedTwin(strategy);
const offset = monotonicOffset();
const receipts: Receipt[] = [];

const post = (message: ToSender, then = () => {}): void => void process.send?.(message, () => then());
/** Interval of the check that this process gets a core in time, milliseconds. */
const WATCHDOG_MS = 10;
let timerUsMax = 0;
let lastTimerAt = Number.POSITIVE_INFINITY;
setInterval(() => {
  timerUsMax = Math.max(timerUsMax, Math.round(now() - lastTimerAt - milliseconds(WATCHDOG_MS)));
  lastTimerAt = now();
}, WATCHDOG_MS);

let concluded = false;
function conclude(socketDrops: number): void {
  if (concluded) return;
  concluded = true;
  post({ kind: 'result', receipts, socketDrops, timerUsMax }, () => process.exit(0));
}
process.on('disconnect', () => process.exit(1));

async function overUdp(): Promise<void> {
  const { cell, transitMin } = order;
  const options = { budget: budgetOf(cell), transitMin, release: cell.release, parameters: cell.parameters };
  const receiverOptions = udpReceiverOptions(twin as Recovery, options);
  const receiver = new Receiver(receiverOptions);
  const finish = () => {
    receiver.finish(now());
    driver.drain();
    driver.close();
    receiver.assertBalanced();
    conclude(socket.sendErrors + (socket.receiveDrops ?? 0));
  };
  const driver = new EndpointDriver<ReceiverEvent>({
    endpoint: receiver,
    transmit: (datagrams) => socket.send(datagrams),
    onEvent: (event) => {
      const at = later(now(), offset);
      if (event.kind === 'access-unit') {
        const completeAt = instant(at - event.playoutDelay + event.completionDelay);
        receipts.push({ kind: 'released', at, frame: event.frame, class: event.class, completeAt });
      } else if (event.kind === 'dropped') {
        for (let more = 0; more < event.frames; more++) {
          receipts.push({ kind: 'dropped', at, frame: event.frame + more, cause: event.cause });
        }
      } else if (event.kind === 'ended') setImmediate(finish);
    },
  });
  const socket = await DatagramSocket.open({
    host: local,
    port: RECEIVER_PORT,
    peer: { host: across, port: SENDER_PORT },
    onDatagram: (datagram) => driver.receive(datagram),
  });
  process.on('message', (message: ToReceiver) => {
    if (message.kind === 'conclude') return finish();
    const { frames, lastSequence } = message;
    receiver.endOfStream(now(), { frames, lastSequence: lastSequence ?? undefined });
    driver.drain();
  });
  post({ kind: 'ready' });
}

function overTcp(): void {
  const deframer = new AccessUnitDeframer();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => {
      const at = later(now(), offset);
      const units = deframer.push(chunk);
      assert(units !== 'malformed', 'TCP must deliver the written bytes unchanged');
      for (const { frame } of units) receipts.push({ kind: 'complete', at, frame });
    });
    socket.on('error', () => conclude(0));
    socket.on('close', () => conclude(0));
  });
  server.listen(RECEIVER_PORT, local, () => post({ kind: 'ready' }));
  process.on('message', () => conclude(0));
}

if (twin.startsWith('tcp-')) overTcp();
else await overUdp();
