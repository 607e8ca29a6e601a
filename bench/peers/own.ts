import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../io/os/failure.ts';
import type { Recovery } from '../../protocol/control/recovery.ts';
import type { RunSummary } from '../../session/run/run-summary.ts';
import { line, sleep } from '../programs.ts';
import { ControlForward } from './control-forward.ts';
import { commandLine } from './datagram-peer.ts';
import type { ReceivedFrame } from './frame-releases.ts';
import { latencyMsOf, linksOf, type Peer, type PeerRecord, type PeerTask } from './peer.ts';
import { Relay } from './relay.ts';
import { PAYLOAD_BYTES } from './workload.ts';

/** RTP header 12, longest frame mark 16, fragment header 2, and space for a retransmission header 2. */
const HEADER_BYTES = 32;
/** Bytes by which media packets are shorter when there are repair packets. */
const REPAIR_BYTES = 18;
/**
 * Sender address. The relay uses the same port on 127.0.0.1, because a receiver has one address for control and media.
 */
const SENDER_HOST = '127.0.0.2';
const RELAY_HOST = '127.0.0.1';
/** Time for joining (with lost datagrams) and ending, milliseconds. */
const BESIDE_MEDIA_MS = 15_000;

export const OWN_PEERS = [own('dropframe', 'hybrid'), own('dropframe-nack', 'nack')] as const;

/** The server of `dropframe send`, with `dropframe link` and `dropframe receive`. The receiver connects. */
function own(name: string, recovery: Recovery): Peer {
  return {
    name,
    title: `dropframe ${recovery}`,
    absence: '',
    version: () => sourceVersion(),
    run: (task) => run(task, recovery),
  };
}

async function run(task: PeerTask, recovery: Recovery): Promise<PeerRecord> {
  const { programs, signal, point, seed, frames, scratch } = task;
  if (point.release === 'asap' && !offersRelease()) throw new Failure('`dropframe receive` has no --release');
  const datagramBytes = PAYLOAD_BYTES + HEADER_BYTES + (recovery === 'nack' ? 0 : REPAIR_BYTES);
  const feedArgs = [SENDER_HOST, String(datagramBytes), String(frames), `${scratch}-in.json`];
  const feed = programs.startOurs('peers/unit-feed', feedArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [, portText] = await line(feed.stdout!, /port (\d+)/, 'the sender');
  const port = Number(portText);
  const links = linksOf(point, seed);
  // The receiver is the relay's client, so the media travels on the back link.
  const relay = await Relay.open(programs, {
    listen: `${RELAY_HOST}:${port}`,
    to: `${SENDER_HOST}:${port}`,
    link: links.answers,
    linkBack: links.media,
  });
  const control = await ControlForward.open({ host: RELAY_HOST, port }, { host: SENDER_HOST, port });
  try {
    const sink = programs.startOurs('peers/unit-sink', [`${scratch}-out.json`], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const args = ['receive', `dropframe://${RELAY_HOST}:${port}`, '--recovery', recovery];
    args.push('--latency', String(latencyMsOf(point)), '--on-loss', 'smear', '--play', 'none', '--quiet');
    if (point.release === 'asap') args.push('--release', 'asap');
    args.push('--summary', `${scratch}-summary.json`, '--output', '-');
    const receiver = programs.startOurs('command', args, { stdio: ['ignore', sink.stdin!, 'inherit'] });
    sink.stdin!.destroy();
    // The end of the stream ends the receiver, which ends the sink.
    const ended = once(sink, 'exit', { signal });
    await Promise.race([ended, sleep((frames * 1_000) / 30 + BESIDE_MEDIA_MS, signal)]);
    await programs.stop(receiver);
    await ended;
    const report = await relay.stop();
    await programs.stop(feed);
    if (!existsSync(`${scratch}-in.json`)) throw new Failure('dropframe did not finish the stream');
    return {
      commands: [
        commandLine('unit-feed', feedArgs.slice(0, 3)),
        relay.command,
        commandLine('dropframe', ownArgs(args)),
      ],
      handedOverAt: JSON.parse(readFileSync(`${scratch}-in.json`, 'utf8')) as number[],
      releases: JSON.parse(readFileSync(`${scratch}-out.json`, 'utf8')) as ReceivedFrame[],
      readings: relay.readings,
      mediaWay: 'back',
      relay: report,
      own: JSON.parse(readFileSync(`${scratch}-summary.json`, 'utf8')) as RunSummary,
    };
  } finally {
    control.close();
  }
}

/** True when the command can release frames as soon as they are decodable. */
function offersRelease(): boolean {
  const program = fileURLToPath(new URL('../command.js', import.meta.url));
  return spawnSync(process.execPath, [program, 'receive', '--help'], { encoding: 'utf8' }).stdout.includes('--release');
}

/** Removes the local summary path. */
const ownArgs = (args: readonly string[]): string[] =>
  args.filter((arg, index) => arg !== '--summary' && args[index - 1] !== '--summary');

/** Version from package.json, with the commit in a repository. */
function sourceVersion(): string {
  const path = fileURLToPath(new URL('../../../../../package.json', import.meta.url));
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: dirname(path), encoding: 'utf8' });
  return git.status === 0 ? `${version} (${git.stdout.trim()})` : version;
}
