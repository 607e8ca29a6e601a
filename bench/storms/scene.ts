/**
 * Run by `storms` in namespaces of its own: `scene ROW CLIP SECONDS`, with a `StormRow` in JSON. A sender, a well-behaved receiver in
 * another network, and attackers in a third with addresses of many networks. Prints a `StormOutcome` in JSON.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { argv, execPath, exit, stdout } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunSummary } from '../../session/run/run-summary.ts';
import { processorMs, residentMegabytes } from '../process-figures.ts';
import { line, Programs } from '../programs.ts';
import { StormNetworks } from './storm-networks.ts';
import type { StormOutcome, StormRow } from './storm-row.ts';
import type { StormTarget } from './storm-target.ts';

const PORT = 7000;
const RTSP_PORT = 8554;
const WHEP_PORT = 8889;
const PLAIN_PORT = 5000;
const WARM_UP_MS = 4_000;
const JOIN_MS_MAX = 15_000;

const [, , json = '', clip = '', seconds = ''] = argv;
const row: StormRow = JSON.parse(json);
const networks = await StormNetworks.open(row);
const programs = new Programs();
const command = fileURLToPath(new URL('../command.js', import.meta.url));
const attack = fileURLToPath(new URL('../attack.js', import.meta.url));

/** Starts a program in one of the networks. */
function start(inside: readonly string[], words: readonly string[]) {
  const all = [...inside, execPath, ...words];
  return programs.start(all[0]!, all.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
}

const { sender: senderHost, receiver: receiverHost } = networks.addresses;
const host = (address: string) => (address.includes(':') ? `[${address}]` : address);
const listening = ['--listen', `${host(senderHost)}:${PORT}`, '--rtsp', `${host(senderHost)}:${RTSP_PORT}`];
const destination = {
  dropframe: [...listening, '--whep', `${host(senderHost)}:${WHEP_PORT}`, ...(row.secure ? [] : ['--insecure'])],
  rist: ['--to', `rist://${host(receiverHost)}:${PLAIN_PORT}`],
  rtp: ['--to', `rtp://${host(receiverHost)}:${PLAIN_PORT}`],
}[row.protocol];
const sender = start([], [command, 'send', clip, '--loop', ...destination]);
const said = row.protocol === 'dropframe' ? /(dropframe:\/\/\S+)/ : /(\S+)/;
const [, printed = ''] = await line(sender.stderr!, said, 'the sender');
const url = {
  dropframe: printed,
  rist: `rist://@${host(receiverHost)}:${PLAIN_PORT}`,
  rtp: `rtp://${host(receiverHost)}:${PLAIN_PORT}`,
}[row.protocol];
const latency = row.protocol === 'dropframe' ? [] : ['--latency', '1000'];
const receiving = [command, 'receive', url, '--play', 'none', ...latency];
const summary = `/tmp/storm-${process.ppid}-${Date.now()}.json`;
const receiver = start(networks.receiver, [...receiving, '--quiet', '--summary', summary]);
await wait(WARM_UP_MS);
const target: StormTarget = {
  host: row.kind.startsWith('to the receiver') ? receiverHost : senderHost,
  port: PORT,
  secure: row.secure,
  addresses: networks.addresses.attackers,
  rtsp: RTSP_PORT,
  whep: WHEP_PORT,
  receiver: receiverHost,
  udpPorts: row.kind.startsWith('to the sender') ? udpPorts() : [PLAIN_PORT, PLAIN_PORT + 1],
};
const attacker = start(networks.attackers, [attack, row.kind, JSON.stringify(target)]);
let made = 0;
attacker.stdout!.on('data', (text: Buffer) => {
  made = Number(/^made (\d+)$/m.exec(text.toString())?.[1] ?? made);
});
attacker.stderr!.resume();
const [before, at] = [processorMs(sender.pid!), performance.now()];
await wait((Number(seconds) * 1_000) / 2);
const joinedMs = row.protocol === 'dropframe' ? await joins() : undefined;
await wait(Math.max(0, at + Number(seconds) * 1_000 - performance.now()));
const spent = (processorMs(sender.pid!) - before) / ((performance.now() - at) / 1_000);
const megabytes = residentMegabytes(sender.pid!);
await programs.stop(receiver);
await programs.stop(attacker);
const ended = sender.exitCode !== null || sender.signalCode !== null;
await programs.stopAll();
const { frames, sessions } = JSON.parse(readFileSync(summary, 'utf8')) as RunSummary;
const lost = frames.total - frames.onTime - frames.recovered;
const outcome: StormOutcome = {
  frames: frames.total,
  lost,
  sessions,
  made,
  processorMs: spent,
  megabytes,
  joinedMs,
  ended,
};
stdout.write(`${JSON.stringify(outcome)}\n`);
exit(0);

/** Starts another receiver during the attack. @returns the time until it has shown a frame, milliseconds; `undefined` if it never did. */
async function joins(): Promise<number | undefined> {
  const from = performance.now();
  const other = start(networks.receiver, [...receiving, '--json']);
  other.stderr!.resume();
  const shown = new Promise<number>((resolve) => {
    let text = '';
    other.stdout!.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (/"onTime":[1-9]/.test(text)) resolve(performance.now() - from);
    });
  });
  const result = await Promise.race([shown, wait(JOIN_MS_MAX).then(() => undefined)]);
  await programs.stop(other);
  return result;
}

/** Bound UDP ports of this network, which is the sender's. */
function udpPorts(): number[] {
  const lines = execFileSync('cat', ['/proc/net/udp'], { encoding: 'utf8' }).trim().split('\n').slice(1);
  return lines.map((each) => Number.parseInt(each.trim().split(/\s+/)[1]!.split(':')[1]!, 16));
}
