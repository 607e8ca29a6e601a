import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { EndpointDriver } from '../../../io/net/endpoint-driver.ts';
import { now } from '../../../io/os/clock.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import type { Endpoint } from '../../../protocol/endpoint.ts';
import { SyntheticStream } from '../../../sim/synthetic-stream.ts';
import { TcpMediaReceiver } from '../../../sim/tcp/media-receiver.ts';
import { TcpMediaSender } from '../../../sim/tcp/media-sender.ts';
import { TCP_DEFAULTS } from '../../../sim/tcp/tcp-options.ts';
import { differences } from '../../simulated-session.ts';
import { until } from './control-peers.ts';

/** Runs an endpoint on a loopback socket that drops every n-th datagram it sends; `connect` sets the destination. */
async function onSocket<Event>(endpoint: Endpoint<Event>, loseEach: number, onEvent: (event: Event) => void) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let peer = 0;
  let sent = 0;
  const driver = new EndpointDriver({
    endpoint,
    transmit: (datagrams) => {
      for (const datagram of datagrams) if (++sent % loseEach !== 0) socket.send(datagram, peer, '127.0.0.1');
    },
    onEvent,
  });
  socket.on('message', (datagram) => driver.receive(datagram));
  onTestFinished(() => {
    driver.close();
    socket.close();
  });
  return {
    driver,
    port: socket.address().port,
    connect: (port: number) => {
      peer = port;
      driver.drain();
    },
  };
}

test('carries access units over the modelled TCP in real time on UDP sockets with losses', async () => {
  const sender = new TcpMediaSender({
    ...TCP_DEFAULTS,
    localPort: 1,
    remotePort: 2,
    initialSequence: 99,
    openAt: now(),
  });
  const receiver = new TcpMediaReceiver({ ...TCP_DEFAULTS, localPort: 2, remotePort: 1, initialSequence: 5 });
  const received: AccessUnit[] = [];
  let ended = false;
  const one = await onSocket(sender, 23, () => {});
  const other = await onSocket(receiver, 1_000, (event) => {
    if (event.kind === 'access-unit') received.push(event.unit);
    ended ||= event.kind === 'ended';
  });
  other.connect(one.port);
  one.connect(other.port);
  const stream = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 20_000,
    keyFrameBytes: 60_000,
    keyInterval: 10,
    frames: 40,
    seed: 1,
  });
  const sent: AccessUnit[] = [];
  for (let unit = stream.next(); unit; unit = stream.next()) {
    sent.push(unit);
    sender.send(now(), unit);
  }
  sender.finish();
  one.driver.drain();
  await until('everything has come', () => ended);
  expect(differences(received, sent)).toEqual([]);
  expect(sender.connection.counters?.retransmittedBytes).toBeGreaterThan(0);
});
