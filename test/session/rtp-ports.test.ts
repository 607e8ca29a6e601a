import { createSocket, type Socket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { RtpPorts, type RtpPortsOptions } from '../../session/rtp/rtp-ports.ts';
import { freePortPair } from '../interop/programs.ts';
import { PATIENCE } from '../patience.ts';

const SSRC = 0xdeadbeef;
const REPORT = serializeRtcp([{ kind: 'receiver-report', ssrc: 1, reports: [] }]);
const SENDER_REPORT = serializeRtcp([{ kind: 'goodbye', ssrcs: [SSRC], reason: '' }]);
const MEDIA = Buffer.from(`8060000100000001${SSRC.toString(16)}41`, 'hex');

/** A socket of the sender, and what arrives there. */
async function peer(host = '127.0.0.1', port = 0): Promise<{ socket: Socket; port: number; heard: Buffer[] }> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const heard: Buffer[] = [];
  socket.on('message', (datagram) => heard.push(datagram));
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  return { socket, port: socket.address().port, heard };
}

async function open(options: Partial<RtpPortsOptions> = {}) {
  const port = await freePortPair();
  let received = 0;
  const ports = new RtpPorts({
    ...{ host: '127.0.0.1', port, rtcpPort: port + 1, onDatagram: () => received++ },
    ...options,
  });
  await ports.open();
  onTestFinished(() => ports.close());
  ports.source = SSRC;
  const send = async ({ socket }: { socket: Socket }, datagram: Uint8Array, to = port) => {
    const before = received;
    socket.send(datagram, to, '127.0.0.1');
    await expect.poll(() => received, PATIENCE).toBe(before + 1);
  };
  return { ports, port, send };
}

test('reports to the port after that of the media, and to where reports come from once they do', async () => {
  const { ports, port, send } = await open();
  const first = await freePortPair();
  const [media, next, control] = [await peer('127.0.0.1', first), await peer('127.0.0.1', first + 1), await peer()];
  ports.send(REPORT);
  await send(media, MEDIA);
  ports.send(REPORT);
  await expect.poll(() => next.heard.length, PATIENCE).toBe(1);
  await send(control, SENDER_REPORT, port + 1);
  ports.send(REPORT);
  await expect.poll(() => control.heard.length, PATIENCE).toBe(1);
  expect([media.heard.length, next.heard.length]).toEqual([0, 1]);
});

test('reports to the port of the media where RTP and RTCP share one', async () => {
  const port = await freePortPair();
  const { ports, send } = await open({ port, rtcpPort: port });
  const media = await peer();
  await send(media, MEDIA, port);
  ports.send(REPORT);
  await expect.poll(() => media.heard.length, PATIENCE).toBe(1);
});

test('reports to the given address, and not to one that names the stream from another machine', async () => {
  const given = await peer();
  const to = await open({ reportTo: { host: '127.0.0.1', port: given.port } });
  to.ports.send(REPORT);
  await expect.poll(() => given.heard.length, PATIENCE).toBe(1);
  const { ports, port, send } = await open();
  const media = await peer();
  const forger = await peer('127.0.0.2');
  await send(media, MEDIA);
  await send(forger, SENDER_REPORT, port + 1);
  ports.send(REPORT);
  await send(media, SENDER_REPORT, port + 1);
  ports.send(REPORT);
  await expect.poll(() => media.heard.length, PATIENCE).toBe(1);
  expect(forger.heard).toEqual([]);
});

test('sends back no more than a share of what arrives', async () => {
  const { ports, send } = await open();
  await send(await peer(), MEDIA);
  for (let count = 0; count < 1_000; count++) ports.send(REPORT);
  expect(ports.refused).toBeGreaterThan(500);
});
