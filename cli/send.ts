import { type Command, Option } from 'commander';
import { Failure } from '../io/os/failure.ts';
import type { StreamServer, StreamServerStatus, StreamServerTotals } from '../session/stream/stream-server.ts';
import { type CommonOptions, Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import {
  type HostAndPort,
  readAddress,
  readBitrate,
  readFramesPerSecond,
  readRtpTarget,
  readWhole,
} from './options.ts';
import type { SourceCommandOptions } from './source-options.ts';

export interface SendCommandOptions extends CommonOptions, SourceCommandOptions {
  readonly listen: HostAndPort;
  readonly to?: HostAndPort;
  readonly sdp?: string;
  readonly loop?: boolean;
  readonly exitWhenDone?: boolean;
  readonly mtu: number;
  readonly receivers: number;
}

export const INPUT_HELP =
  'a file that ffmpeg reads, a raw .h264, or testsrc (also testsrc=640x360@30:10); copied when it is H.264 fit for a live stream';

export function addSendCommand(program: Command): void {
  const command = program
    .command('send')
    .description('serve a file as a live stream: TCP for control, the same port in UDP for media')
    .argument('<input>', INPUT_HELP)
    .action(async (input: string, options: SendCommandOptions) => {
      const { to } = options;
      if (to === undefined) return await send(input, options);
      if (command.getOptionValueSource('listen') === 'cli') {
        throw new Failure('--to sends plain RTP and --listen waits for receivers: choose one of them', 2);
      }
      const { sendRtp } = await import('./send-rtp.ts');
      await sendRtp(input, { ...options, to }, new Context(options));
    });
  command
    .addOption(
      new Option('--listen <address>', 'where to serve; only this machine can join unless told otherwise')
        .default({ host: '127.0.0.1', port: 7000 }, '127.0.0.1:7000')
        .argParser(readAddress),
    )
    .addOption(
      new Option(
        '--to <url>',
        'instead: send plain RTP at once to rtp://HOST:PORT, for players and other programs',
      ).argParser(readRtpTarget),
    )
    .option('--sdp <file>', 'with --to: write the session description that players open; - for stdout')
    .addOption(
      new Option('--encode <how>', 'auto copies H.264 as it is where a live stream can be made of it')
        .choices(['auto', 'copy', 'x264'])
        .default('auto'),
    )
    .addOption(new Option('--bitrate <rate>', 'of the encoder').default(2_000_000, '2M').argParser(readBitrate))
    .addOption(
      new Option('--gop <frames>', 'frames from key frame to key frame, of the encoder')
        .default(30)
        .argParser(readWhole({ min: 1, max: 10_000 }, 'frames')),
    )
    .addOption(
      new Option('--fps <rate>', 'of a raw .h264 that does not tell (default: 25)').argParser(readFramesPerSecond),
    )
    .option('--loop', 'start again at the end, for ever')
    .option('--exit-when-done', 'end when the stream has been played or its last receiver has left')
    .addOption(
      new Option('--mtu <bytes>', 'largest datagram, UDP payload bytes')
        .default(1_200)
        .argParser(readWhole({ min: 200, max: 65_000 }, 'bytes')),
    )
    .addOption(
      new Option('--receivers <count>', 'receivers served at once')
        .default(64)
        .argParser(readWhole({ min: 1, max: 1_000 }, 'receivers')),
    )
    .option('--ffmpeg <path>', 'the ffmpeg to use (also: FFMPEG_PATH)')
    .option('--record <file>', 'write what enters the stream to FILE.h264, FILE.mp4 or FILE.ts')
    .option('--json', 'logs as JSON lines')
    .option('-q, --quiet', 'errors only')
    .option('-v, --verbose', 'more of what happens')
    .addHelpText(
      'after',
      `
Examples:
  dropframe send samples/counter.mp4 --loop
  dropframe send film.mkv --encode x264 --bitrate 4M --gop 60 --listen 0.0.0.0:7000
  dropframe send testsrc=1280x720@30
  dropframe send film.mp4 --to rtp://127.0.0.1:5004 --sdp film.sdp --loop

Video only: sound is left out. The stream starts when the first receiver joins; later ones join live at the next
key frame.
With --to it starts at once, plays once (or with --loop for ever), goes to that one address without asking who is there,
and has no recovery: RTP to PORT, RTCP to PORT + 1.
Exit codes: 0 fine, 1 the run failed, 2 usage, 3 a tool is missing, 130 ended at once by a signal.`,
    );
}

async function send(input: string, options: SendCommandOptions): Promise<void> {
  if (options.sdp !== undefined) throw new Failure('--sdp describes plain RTP: it needs --to rtp://HOST:PORT', 2);
  const [{ StreamServer }, { openRecord, openSource }] = await Promise.all([
    import('../session/stream/stream-server.ts'),
    import('./source-options.ts'),
  ]);
  const context = new Context(options);
  const { log } = context;
  let finish: (error?: unknown) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (error) => (error === undefined ? resolve() : reject(error));
  });
  const interrupt = new Interrupt(() => finish());
  const source = await openSource(input, options, log);
  const recorder = await openRecord(options, source, (error) => finish(error));
  const server = new StreamServer({
    source,
    host: options.listen.host,
    port: options.listen.port,
    loop: options.loop === true,
    datagramBytesMax: options.mtu,
    receiversMax: options.receivers,
    log,
    onUnit: (unit) => recorder?.write(unit),
    onIdle: (error) => {
      if (error !== undefined) log.error(`the source ended early: ${(error as Error).message}`);
      if (options.exitWhenDone) finish(error);
      else log.info('waiting for the next receiver');
    },
  });
  let listening = false;
  try {
    await server.listen();
    listening = true;
    const { name, codec, width, height, mode } = source.description;
    const host = options.listen.host.includes(':') ? `[${options.listen.host}]` : options.listen.host;
    log.info(`serving ${name} (${width}×${height}, ${codec}, ${mode}) at dropframe://${host}:${server.port}`);
    context.showStatus(() => statusOf(server));
    await finished;
  } finally {
    context.closeStatus();
    const { totals, status } = server;
    await server.close('the sender was stopped');
    await recorder?.close();
    await source.close();
    interrupt.dispose();
    // A sender that never served has only its error to tell.
    if (listening) context.print(totalsText(totals, status));
  }
}

function totalsText(totals: StreamServerTotals, status: StreamServerStatus): string {
  const { receivers, frames, packets, bytes, retransmissions } = totals;
  const refused = `${status.connectionsRefused} connections and ${status.datagramsForeign} datagrams refused`;
  return (
    `  served   ${receivers} receiver${receivers === 1 ? '' : 's'}: ${frames} frames in ${packets} packets ` +
    `(${(bytes / 1e6).toFixed(2)} MB), ${retransmissions} packets sent again\n  refused  ${refused}`
  );
}

function statusOf(server: StreamServer): string | undefined {
  const { receivers } = server.status;
  if (receivers.length === 0) return undefined;
  const frames = Math.max(...receivers.map((receiver) => receiver.statistics.frames));
  const resent = receivers.reduce((sum, receiver) => sum + receiver.statistics.retransmissions, 0);
  const lost = receivers.reduce((sum, receiver) => sum + (receiver.reported?.framesLost ?? 0), 0);
  const one = receivers.length === 1;
  return `${receivers.length} receiver${one ? '' : 's'} · ${frames} frames sent · ${resent} packets resent · ${lost} frames reported lost`;
}
