import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { Failure } from '../io/failure.ts';
import { dropframeClient } from '../session/client.ts';
import { ReceiveRun } from '../session/receive-run.ts';
import { StreamServer } from '../session/stream-server.ts';
import { type LinkSpecification, parseLinkSpecification } from '../sim/link-specification.ts';
import { Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { Keys } from './keys.ts';
import { readSeconds } from './options.ts';
import { addReceiverOptions, CONGESTION_FOR_NOTHING, type ReceiveCommandOptions, reportRun } from './receive.ts';
import { INPUT_HELP } from './send.ts';
import { openSource } from './source-options.ts';

interface DemoCommandOptions extends ReceiveCommandOptions {
  readonly duration?: number;
  readonly loop: boolean;
}

/** Bad enough to see what recovery does, good enough for it to win: a busy Wi-Fi behind a DSL line. */
const DEMO_LINK = 'loss=4% burst=2 delay=20ms jitter=4ms seed=1';
/** Room for four round trips of that link: what is lost twice can still be had. */
const DEMO_LATENCY_MS = 200;

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('sender, bad network and receiver in one go: watch a sample arrive over a lossy link')
    .argument('[input]', `${INPUT_HELP}; without it, the sample`)
    .action(async (input: string | undefined, options: DemoCommandOptions) => {
      await demo(input ?? sample(), options, command.getOptionValueSource('congestion') === 'cli');
    });
  addReceiverOptions(command, DEMO_LATENCY_MS)
    .addOption(new Option('--duration <seconds>', 'end after so long').argParser(readSeconds))
    .option('--no-loop', 'end at the end of the input')
    .addHelpText(
      'after',
      `
The link is "${DEMO_LINK}" unless --link says otherwise; try --recovery none, --transport tcp, --link "loss=10%".
Ctrl-C ends it and prints the summary.`,
    );
}

async function demo(input: string, options: DemoCommandOptions, congestionGiven: boolean): Promise<void> {
  if (congestionGiven && options.transport !== 'tcp') throw new Failure(CONGESTION_FOR_NOTHING, 2);
  const context = new Context(options);
  const { log } = context;
  const source = await openSource(input, { encode: 'auto', bitrate: 2_000_000, gop: 30 }, log);
  const server = new StreamServer({
    source,
    host: '127.0.0.1',
    port: 0,
    loop: options.loop,
    datagramBytesMax: 1_200,
    receiversMax: 16,
    log,
    onIdle: (error) => {
      if (error !== undefined) log.error(`the source ended early: ${(error as Error).message}`);
    },
  });
  try {
    await server.listen();
    log.info(`sender at dropframe://127.0.0.1:${server.port} (more receivers may join)`);
    const link = options.link ?? demoLink();
    const run = new ReceiveRun({
      ...options,
      connect: dropframeClient({
        ...options,
        host: '127.0.0.1',
        port: server.port,
        latencyMs: options.latency,
        link,
        congestionControl: options.congestion,
        timeoutMs: options.timeout,
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
    log.info(Keys.available ? 'space pauses, q or Ctrl-C ends it' : 'Ctrl-C ends it');
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

/** The sample lies beside the sources, and beside the compiled files' folder. */
function sample(): string {
  for (const path of ['../samples/counter.mp4', '../../samples/counter.mp4']) {
    const file = fileURLToPath(new URL(path, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new Failure('the sample samples/counter.mp4 is missing: name an input, such as testsrc');
}
