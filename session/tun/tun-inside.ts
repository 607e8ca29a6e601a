import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { now } from '../../io/os/clock.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { setTcp } from '../../io/os/network-namespace.ts';
import { reapAll } from '../../io/os/process-reaper.ts';
import { elapsed, inSeconds } from '../../protocol/base/units.ts';
import type { CommandEnd, InsideMessage, OutsideMessage, TunOrder, TunSettings } from './tun-message.ts';
import { INTERFACE, setUpNetwork } from './tun-network.ts';
import type { TunPathReport } from './tun-path.ts';
import type { TunRelayData, TunRelayMessage } from './tun-relay.ts';
import { threadOf } from './tun-thread.ts';

// First process of the namespaces created by `tun-run.ts`. When it ends, for any reason, the kernel kills all other
// processes in them and removes the device and the network.

/** Time for a command to end after a request, milliseconds. */
const GRACE_MS = 5_000;
/** Time for processes left behind by the command, milliseconds. */
const LEFT_BEHIND_MS = 500;
/** A Ctrl-C at the terminal reaches this process and the command within this time of each other, milliseconds. */
const SAME_SIGNAL_MS = 100;
/** Exit codes of shells. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const notify = (message: InsideMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send?.(message, () => resolve()) === undefined) resolve();
  });

/** Time of the last signal that was sent to the whole group. */
const seenAt = new Map<NodeJS.Signals, number>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
  process.on(signal, () => seenAt.set(signal, performance.now()));
}
// The process outside has ended.
process.on('disconnect', () => process.exit(1));

/** Starts the relay thread; the returned function stops it and returns its report. */
async function startRelay(data: Omit<TunRelayData, 'stop'>, onProgress: (report: TunPathReport) => void) {
  const stop = new SharedArrayBuffer(4);
  const workerData: TunRelayData = { ...data, stop };
  const worker = threadOf('tun-relay', workerData);
  const [first] = (await once(worker, 'message')) as [TunRelayMessage];
  if (first.kind === 'failed') throw new Failure(first.message);
  const last = new Promise<TunRelayMessage>((resolve, reject) => {
    worker.on('message', (message: TunRelayMessage) => {
      if (message.kind === 'progress') onProgress(message.report);
      else resolve(message);
    });
    worker.once('error', reject);
  });
  last.catch(() => {}); // reported when it is awaited
  return async () => {
    Atomics.store(new Int32Array(stop), 0, 1);
    const message = await last;
    if (message.kind !== 'report') throw new Failure('the relay thread ended unexpectedly');
    return message;
  };
}

/**
 * Drops of the device. Columns of /proc/net/dev: name, eight for receiving, then bytes, packets, errors and drops sent.
 */
async function deviceDrops(): Promise<number | null> {
  const table = await readFile('/proc/self/net/dev', 'utf8').catch(() => '');
  const row = table.split('\n').find((line) => line.trim().startsWith(`${INTERFACE}:`));
  const value = row?.split(':')[1]?.trim().split(/\s+/)[11];
  return value === undefined ? null : Number(value);
}

function startCommand([program, ...rest]: TunOrder['command']): ChildProcess {
  return spawn(program, rest, { stdio: ['inherit', 'inherit', 'inherit'] });
}

async function endOf(command: ChildProcess, program: string): Promise<CommandEnd> {
  try {
    const [code, signal] = await once(command, 'exit');
    return { code, signal };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    await notify({ kind: 'error', message: `cannot run ${program}: ${absent ? 'command not found' : causeOf(error)}` });
    return { code: absent ? NOT_FOUND : NOT_EXECUTABLE, signal: null };
  }
}

/** Passes a signal on, unless the command has received it too. */
function passOn(signal: NodeJS.Signals, command: ChildProcess): void {
  setTimeout(() => {
    const seen = seenAt.get(signal);
    const sharedByAll = seen !== undefined && performance.now() - seen < 3 * SAME_SIGNAL_MS;
    if (!sharedByAll) command.kill(signal);
  }, SAME_SIGNAL_MS);
  // Many programs use Ctrl-C for something other than exiting.
  if (signal !== 'SIGINT') setTimeout(() => command.kill('SIGKILL'), GRACE_MS);
}

async function run(order: TunOrder): Promise<void> {
  // Makes /proc show the process numbers of the namespace; not essential.
  await once(spawn('mount', ['-t', 'proc', 'proc', '/proc'], { stdio: 'ignore' }), 'close').catch(() => {});
  const { fd, ipv6 } = await setUpNetwork(order.mtu);
  const tcp = await setTcp({ congestionControl: order.congestionControl, notsentLowat: order.notsentLowat });
  const settings: TunSettings = { mtu: order.mtu, ipv6, ...tcp };
  const { link, linkBack, linkBeginsWithTraffic = false, capture, mtu } = order;
  const { progress: reportsProgress = false } = order;
  let startedAt = now();
  const stopRelay = await startRelay(
    { fd, mtu, link, linkBack, linkBeginsWithTraffic, capture, progress: reportsProgress, interfaceName: INTERFACE },
    (report) =>
      void notify({ kind: 'progress', progress: { ...report, durationSeconds: inSeconds(elapsed(startedAt, now())) } }),
  );
  await notify({ kind: 'started', settings });
  startedAt = now();
  const command = startCommand(order.command);
  process.on('message', (message: OutsideMessage) => {
    if (message.kind === 'signal') passOn(message.signal, command);
  });
  const end = await endOf(command, order.command[0]);
  const durationSeconds = inSeconds(elapsed(startedAt, now()));
  await reapAll(LEFT_BEHIND_MS);
  const { report: path, captureFailure, captureOffset } = await stopRelay();
  if (captureFailure !== undefined) await notify({ kind: 'error', message: captureFailure });
  const drops = await deviceDrops();
  const report = {
    command: order.command,
    durationSeconds,
    end,
    ...settings,
    ...path,
    deviceDrops: drops,
    captureOffset,
  };
  await notify({ kind: 'report', report });
}

process.once('message', async (message: OutsideMessage) => {
  try {
    if (message.kind === 'order') await run(message.order);
    process.exit(0);
  } catch (error) {
    const exitCode = error instanceof Failure ? error.exitCode : 1;
    await notify({ kind: 'failed', message: causeOf(error), exitCode });
    process.exit(exitCode);
  }
});
