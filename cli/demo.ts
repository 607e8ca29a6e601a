import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { atExit } from '../io/os/at-exit.ts';
import { Failure } from '../io/os/failure.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { RunPageScenario } from '../io/web-server/lane-page.ts';
import type { LaneSettings } from '../protocol/page/lane-message.ts';
import type { KernelTcpSource } from '../session/lanes/kernel-tcp.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { Keys } from './keys.ts';
import type { LabProgress } from './lab.ts';
import { serveMetrics } from './metrics-option.ts';
import { readSeconds } from './options.ts';
import { addReceiverOptions, CONGESTION_UNUSED, type ReceiveCommandOptions, reportRun } from './receive.ts';
import { INPUT_HELP } from './send.ts';
import { typedCommand } from './typed-command.ts';

interface DemoCommandOptions extends ReceiveCommandOptions {
  readonly duration?: number;
  readonly loop: boolean;
}

/** Default link: a busy Wi-Fi behind DSL. Lossy enough to show recovery, good enough for recovery to succeed. */
const DEMO_LINK = 'loss=4% delay=30ms±4ms order=kept seed=1';
/** Default latency, milliseconds: four round trips of that link, so that a packet lost twice still arrives in time. */
const DEMO_LATENCY_MS = 200;

/** Source of the lane that follows the path: at most as sharp as a wide picture on the page can show. */
const FOLLOWED = { encode: 'auto', bitrate: 1_000_000, gop: 30, rate: 'auto', bitrateMax: 4_000_000 } as const;
/** The codec that lanes copy: every browser decodes it, and shows it the right way up. */
const CARRIED = { copies: ['h264'], upright: true } as const;
const NO_FOLLOWED =
  'this lane needs the optional package node-av, whose encoder follows the path; it does not load here';

let kernelTcp: KernelTcpSource | undefined;
/** The TCP of this machine's kernel, loaded when a page asks for it: no lane opens it before. */
const KERNEL_TCP: KernelTcpSource = {
  async obstacle() {
    kernelTcp ??= (await import('../session/tun/kernel-tcp-run.ts')).kernelTcp;
    return kernelTcp.obstacle();
  },
  open: (options) => kernelTcp!.open(options),
};

const SAID_CHARACTERS_MAX = 2_000;

/** Options of `receive` that select a single receiver; without them the page shows lanes side by side. */
const SINGLE_RECEIVER_OPTIONS = [
  'transport',
  'congestion',
  'recovery',
  'redundancy',
  'release',
  'onLoss',
  'play',
  'output',
  'pcap',
  'summary',
  'json',
];

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description(
      'show the same video over the same lossy network with UDP, UDP with recovery and TCP, side by side in a browser',
    )
    .argument('[input]', `${INPUT_HELP} (default: the sample)`)
    .action(async (input: string | undefined, options: DemoCommandOptions) => {
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      if (SINGLE_RECEIVER_OPTIONS.some(given)) await demo(input ?? sample(), options, given('congestion'));
      else await demoLanes(input ?? sample('counter.h264'), options);
    });
  addReceiverOptions(command, DEMO_LATENCY_MS)
    .optionsGroup('Demo:')
    .addOption(new Option('--duration <seconds>', 'stop after this time').argParser(readSeconds))
    .option('--no-loop', 'stop at the end of the input')
    .addHelpText(
      'after',
      `
The link is "${DEMO_LINK}" by default; it can be changed on the page while the demo runs.
With --transport, --recovery, --redundancy, --release, --on-loss, --play, --output, --pcap, --summary or --json the demo
runs one sender and one receiver, like "send" and "receive". Try --recovery none, or --transport tcp.
Ctrl-C stops it.`,
    );
}

/**
 * Runs the page with the lanes. The default input is the sample without B-frames, like live video: it tolerates lost
 * frames.
 */
async function demoLanes(input: string, options: DemoCommandOptions): Promise<void> {
  const context = new Context(options);
  const { log } = context;
  // These are loaded on demand: a single receiver does not need them.
  const { openInput } = await import('./source-options.ts');
  const openFollowed = async (which: string) => {
    const source = await openInput(which, FOLLOWED, log);
    if (source.adaptive) return source;
    await source.close();
    return NO_FOLLOWED;
  };
  // Its encoder is another process and starts while this one loads the rest: with one that is ready later, all lanes begin again.
  let early: Promise<MediaSource | string> | undefined = openFollowed(input);
  early.catch(() => {});
  const closeEarly = async () => {
    const source = await early?.catch(() => NO_FOLLOWED);
    if (typeof source === 'object') await source.close();
  };
  const [{ LaneServer }, { openInBrowser }, { printInvitation }] = await Promise.all([
    import('../session/lanes/lane-server.ts'),
    import('../io/web-server/browser-opener.ts'),
    import('../io/web-server/page-invitation.ts'),
  ]);
  const encoding = { encode: 'auto', bitrate: 2_000_000, gop: 30, audio: true } as const;
  const openOne = (which: string) => openInput(which, encoding, log, CARRIED);
  const media = await openOne(input).catch((error: unknown) => {
    void closeEarly();
    throw error;
  });
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const name = basename(input);
  // The user's own file is listed first and replaces a sample of the same name.
  const inputs = new Map([[name, input], ...samples(), [TEST_PATTERN, TEST_PATTERN]]).set(name, input);
  const link = options.link ?? demoLink();
  const show = await LaneServer.open({
    source: { name, media },
    inputs,
    openInput: openOne,
    openFollowed: (which) => {
      const opened = which === input ? early : undefined;
      if (opened) early = undefined;
      return opened ?? openFollowed(which);
    },
    kernelTcp: KERNEL_TCP,
    lanes: demoLaneSettings(options.latency),
    link,
    loop: options.loop,
    pagePort: options.pagePort,
    pageListen: options.pageListen,
    log,
    command: typedCommand(process.argv, process.env),
    onEnd: stop,
    runScenario: async (scenario, folder, closing, progressed) => {
      const { checkPageScenario } = await import('./page-scenario.ts');
      checkPageScenario(await readFile(scenario, 'utf8'), link);
      return runScenario(scenario, folder, closing, progressed);
    },
  }).catch(async (error: unknown) => {
    await Promise.all([media.close(), closeEarly()]);
    throw error;
  });
  const metrics = await serveMetrics(options, log, async () => {
    const [{ laneMetrics }, { HeldCounters }] = await Promise.all([
      import('../session/metrics/lane-metrics.ts'),
      import('../io/metrics/held-counters.ts'),
    ]);
    const held = new HeldCounters();
    return () => laneMetrics(show.summary.lanes, show.viewers, held);
  }).catch(async (error: unknown) => {
    await show.close();
    throw error;
  });
  const interrupt = new Interrupt(stop);
  const keys = new Keys((key) => {
    if (key === 'q') stop();
  });
  const timer = options.duration === undefined ? undefined : setTimeout(stop, options.duration);
  log.info(`watch at ${show.url}`);
  if (show.invitation) await printInvitation(show.invitation, log);
  log.info(Keys.available ? 'press q or Ctrl-C to stop' : 'press Ctrl-C to stop');
  if (options.openBrowser) openInBrowser(show.url);
  await stopped;
  clearTimeout(timer);
  keys.close();
  interrupt.dispose();
  await metrics?.close();
  await show.close();
}

/**
 * Runs the laboratory in a low-priority process of its own. Resolves with the path of the report.
 * @param closing aborts the process; its partial output is useless.
 * @param progressed called with the part that is done, 0 to 1.
 */
const runScenario: RunPageScenario = async (scenario, folder, closing, progressed) => {
  const child = spawn(process.execPath, [process.argv[1]!, 'lab', 'run', scenario, '--out', folder, '--quiet'], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.on('message', ({ share }: LabProgress) => progressed(share));
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const end = () => child.kill('SIGKILL');
  const isDone = atExit(end);
  closing.addEventListener('abort', end);
  if (closing.aborted) end();
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARACTERS_MAX);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  isDone();
  closing.removeEventListener('abort', end);
  const report = join(folder, 'report.html');
  if (status === 0 && existsSync(report)) return report;
  // The last message and its findings; progress and warnings precede it.
  const [head = '', ...findings] = said.slice(said.lastIndexOf('dropframe: ')).trim().split('\n');
  throw new Failure(head.replace(/^dropframe: /, '') || 'the laboratory wrote no report', 1, { findings });
};

/** Initial lanes of the page: packets as they come, recovery by deadline, the same with a source that follows, and TCP. */
function demoLaneSettings(latencyMs: number): readonly LaneSettings[] {
  const common = { congestionControl: 'cubic', onLoss: 'freeze', latencyMs } as const;
  return [
    // smear: with every lost frame, freeze would hold the picture until the next key frame and show almost nothing.
    { ...common, transport: 'udp', recovery: 'reorder', onLoss: 'smear' },
    { ...common, transport: 'udp', recovery: 'hybrid' },
    { ...common, transport: 'udp', recovery: 'hybrid', follows: true },
    { ...common, transport: 'tcp', recovery: 'none' },
  ];
}

async function demo(input: string, options: DemoCommandOptions, congestionGiven: boolean): Promise<void> {
  if (congestionGiven && options.transport !== 'tcp') throw new Failure(CONGESTION_UNUSED, 2);
  const [{ StreamServer }, { dropframeClient }, { ReceiveRun }, { checkWritable }, { openInput }] = await Promise.all([
    import('../session/stream/stream-server.ts'),
    import('../session/stream/dropframe-client.ts'),
    import('../session/run/receive-run.ts'),
    import('../io/os/writable-path.ts'),
    import('./source-options.ts'),
  ]);
  if (options.summary !== undefined) await checkWritable(options.summary);
  const context = new Context(options);
  const { log } = context;
  const source = await openInput(input, { encode: 'auto', bitrate: 2_000_000, gop: 30 }, log);
  const server = new StreamServer({
    source,
    host: '127.0.0.1',
    port: 0,
    loop: options.loop,
    datagramBytesMax: 1_200,
    receiversMax: 16,
    log,
    onIdle: (error) => {
      if (error !== undefined) log.error(`the source failed: ${(error as Error).message}`);
    },
  });
  try {
    await server.listen();
    log.info(`sender at dropframe://127.0.0.1:${server.port} (more receivers may join)`);
    const link = options.link ?? demoLink();
    const run = new ReceiveRun({
      ...options,
      pagePort: options.pagePort,
      connect: dropframeClient({
        ...options,
        host: '127.0.0.1',
        port: server.port,
        latencyMs: options.latency,
        link,
        congestionControl: options.congestion,
        timeoutMs: options.timeout,
        records: options.output !== undefined,
      }),
      ipv6: false,
      latencyMs: options.latency,
      link,
      output: options.output,
      capture: options.pcap,
      log,
    });
    const interrupt = new Interrupt(() => run.stop());
    const timer = options.duration === undefined ? undefined : setTimeout(() => run.stop(), options.duration);
    log.info(Keys.available ? 'press space to pause, q or Ctrl-C to stop' : 'press Ctrl-C to stop');
    await reportRun(run, context, options);
    clearTimeout(timer);
    interrupt.dispose();
  } finally {
    await server.close('the demo is over');
    await source.close();
  }
}

function demoLink(): LinkSpecification {
  const link = parseLinkSpecification(DEMO_LINK);
  if (!link.ok) throw new Error(link.malformed);
  return link.value;
}

/** Name of the generated source, encoded live. */
const TEST_PATTERN = 'testsrc';

function samples(): [name: string, path: string][] {
  const folder = samplesFolder();
  if (folder === undefined) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.mp4') || name.endsWith('.h264'));
  return names.map((name) => [name, join(folder, name)]);
}

function sample(name: 'counter.mp4' | 'counter.h264' = 'counter.mp4'): string {
  const file = join(samplesFolder() ?? '', name);
  if (existsSync(file)) return file;
  throw new Failure(`the sample samples/${name} is missing; name an input, such as testsrc`);
}

/** Returns the folder of the samples, which is next to the sources or one level above the compiled files. */
function samplesFolder(): string | undefined {
  const folders = ['../samples', '../../samples'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(folder));
}
