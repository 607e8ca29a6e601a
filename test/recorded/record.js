// Records the messages between two programs of one release, for tests against that release without its code:
//
//   node test/recorded/record.js TREE OUT     TREE: a built tree of the release; OUT: a folder for the recordings
//
// Each TCP connection becomes one text file of lines `receiver HEX` and `sender HEX`, in the order of the bytes.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

const [tree, out] = process.argv.slice(2);
const SENDER_PORT = 7_711;
const PROXY_PORT = 7_712;
const CLIP = ['testsrc=160x90@10:1', '--bitrate', '40k', '--gop', '5'];

mkdirSync(out, { recursive: true });
await record('udp', ['--recovery', 'hybrid']);
await record('tcp', ['--transport', 'tcp']);

async function record(name, options) {
  const connections = [];
  const server = createServer((receiver) => {
    const lines = [];
    connections.push(lines);
    const sender = connect(SENDER_PORT, '127.0.0.1');
    const pass = (from, to, who) => {
      from.on('data', (bytes) => {
        const last = lines.at(-1);
        if (last?.who === who) last.bytes = Buffer.concat([last.bytes, bytes]);
        else lines.push({ who, bytes });
        to.write(bytes);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
    };
    pass(receiver, sender, 'receiver');
    pass(sender, receiver, 'sender');
  });
  await new Promise((resolve) => server.listen(PROXY_PORT, '127.0.0.1', resolve));
  const [door, way] = [createSocket('udp4'), createSocket('udp4')];
  let peer;
  door.on('message', (datagram, from) => {
    peer = from;
    way.send(datagram, SENDER_PORT, '127.0.0.1');
  });
  way.on('message', (datagram) => door.send(datagram, peer.port, peer.address));
  door.bind(PROXY_PORT, '127.0.0.1');
  way.bind(0, '127.0.0.1');
  const program = (args) =>
    spawn(process.execPath, [join(tree, 'bin/dropframe.js'), ...args, '--quiet'], { stdio: 'inherit' });
  const sending = program(['send', ...CLIP, '--listen', `127.0.0.1:${SENDER_PORT}`, '--exit-when-done']);
  while (!(await answers(SENDER_PORT))) await new Promise((resolve) => setTimeout(resolve, 100));
  const receiving = program(['receive', `dropframe://127.0.0.1:${PROXY_PORT}`, '--play', 'none', ...options]);
  await Promise.all([sending, receiving].map((child) => new Promise((resolve) => child.on('close', resolve))));
  for (const [index, lines] of connections.filter((each) => each.length > 0).entries()) {
    const kind = index === 0 ? 'control' : 'media';
    const text = lines.map(({ who, bytes }) => `${who} ${bytes.toString('hex')}\n`).join('');
    writeFileSync(join(out, `${name}-${kind}.txt`), text);
  }
  server.close();
  door.close();
  way.close();
}

function answers(port) {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.on('connect', () => resolve(true));
    probe.on('error', () => resolve(false));
    probe.on('connect', () => probe.destroy());
  });
}
