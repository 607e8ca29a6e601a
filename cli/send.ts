import { type Command, Option } from 'commander';
import type { MetricsServer } from '../io/metrics/metrics-server.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import { RTP_PORT_MAX } from '../session/rtp/rtp-address.ts';
import type { RtspServer } from '../session/rtsp/rtsp-server.ts';
import { RECEIVERS_MAX } from '../session/stream/place-limits.ts';
import type { WhepServer } from '../session/whep/whep-server.ts';
import { type CommonOptions, Context } from './context.ts';
import { addSenderEncryption, passphraseOf, type SenderEncryptionOptions } from './encryption-options.ts';
import { Interrupt } from './interrupt.ts';
import { addMetricsOption, type MetricsCommandOptions, serveMetrics } from './metrics-option.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import {
  type PlainTarget,
  readAddress,
  readAudioTrack,
  readBitrate,
  readFramesPerSecond,
  readLocalAddress,
  readMegabytes,
  readPlace,
  readPlainTarget,
  readWhole,
} from './options.ts';
import { encryptionText, howText, rateFields, statusOf, totalsText } from './send-texts.ts';
import type { SourceCommandOptions } from './source-options.ts';

export interface SendCommandOptions
  extends CommonOptions,
    SourceCommandOptions,
    SenderEncryptionOptions,
    MetricsCommandOptions {
  readonly listen: HostAndPort;
  readonly to?: PlainTarget;
  readonly sdp?: string;
  readonly localPort: number;
  readonly rtcpMux?: boolean;
  readonly rtsp?: HostAndPort | boolean;
  readonly rtspLoginFile?: string;
  readonly whep?: HostAndPort | boolean;
  readonly whepTokenFile?: string;
  readonly loop?: boolean;
  readonly exitWhenDone?: boolean;
  readonly mtu: number;
  readonly maxReceivers: number;
  readonly receiversPerAddress?: number;
  readonly history: number;
}

export const INPUT_HELP =
  'a file that ffmpeg reads, a raw .h264 or .h265 file, or testsrc (testsrc=WIDTHxHEIGHT@FPS:SECONDS)';

const readReceivers = readWhole({ min: 1, max: RECEIVERS_MAX }, 'receivers');

export function addSendCommand(program: Command): void {
  const command = program
    .command('send')
    .description('serve a file as a live stream: control over TCP, media over UDP on the same port')
    .argument('<input...>', `${INPUT_HELP}, or a live source (see below); several files are played one after another`)
    .action(async (inputs: string[], options: SendCommandOptions) => {
      const { to } = options;
      if (to === undefined) return await send(inputs, options);
      if (command.getOptionValueSource('listen') === 'cli') {
        throw new Failure('--to (plain RTP) and --listen (wait for receivers) cannot be combined', 2);
      }
      if (typeof options.rtsp === 'object' || options.rtspLoginFile !== undefined) {
        throw new Failure('--to (plain RTP) and the options of RTSP cannot be combined', 2);
      }
      if (typeof options.whep === 'object' || options.whepTokenFile !== undefined) {
        throw new Failure('--to (plain RTP) and the options of WHEP cannot be combined', 2);
      }
      const { sendRtp } = await import('./send-rtp.ts');
      await sendRtp(inputs, { ...options, to }, new Context(options));
    });
  command
    .optionsGroup('Destination:')
    .addOption(
      new Option('--listen <address>', 'address to serve on; the default accepts receivers on this machine only')
        .default({ host: '127.0.0.1', port: 7000 }, '127.0.0.1:7000')
        .argParser(readAddress),
    )
    .addOption(
      new Option(
        '--to <url>',
        'send to players and other programs instead: plain RTP to rtp://HOST:PORT, MPEG-TS to udp://HOST:PORT, rtp+ts://HOST:PORT or rist://HOST:PORT',
      ).argParser(readPlainTarget),
    )
    .addOption(
      new Option(
        '--rtsp <address>',
        'HOST:PORT or PORT for players that speak RTSP (default: 127.0.0.1:8554, or a free port, unless encrypted)',
      ).argParser(readLocalAddress),
    )
    .option('--rtsp-login-file <file>', 'file with NAME:PASSWORD, which players must give to watch by RTSP')
    .option('--no-rtsp', 'do not serve players by RTSP')
    .addOption(
      new Option(
        '--whep <address>',
        'HOST:PORT or PORT for browsers, by WHEP (default: 127.0.0.1:8889, or a free port, unless encrypted)',
      ).argParser(readLocalAddress),
    )
    .option('--whep-token-file <file>', 'file with the token that browsers must bring to watch by WHEP: URL#TOKEN')
    .option('--no-whep', 'do not serve browsers')
    .option('--sdp <file>', 'with --to: write the session description for players; - for stdout')
    .addOption(
      new Option('--local-port <port>', 'with --to: port to send RTP from, RTCP from the next; 0: any')
        .default(0)
        .argParser(readWhole({ min: 0, max: RTP_PORT_MAX }, 'a port')),
    )
    .option('--rtcp-mux', 'with --to: send and receive RTCP on the ports of RTP');
  addSenderEncryption(command)
    .optionsGroup('Video:')
    .addOption(
      new Option(
        '--encode <how>',
        'auto copies H.264, HEVC, VP9 and AV1 that suit a live stream, and encodes everything else',
      )
        .choices(['auto', 'copy', 'x264'])
        .default('auto'),
    )
    .addOption(
      new Option('--bitrate <rate>', 'bit rate of the encoder, bits per second; with --rate auto, at the start')
        .default(2_000_000, '2M')
        .argParser(readBitrate),
    )
    .addOption(
      new Option(
        '--rate <how>',
        'auto: the bit rate follows the capacity of the path (default where the encoder supports it); fixed: --bitrate',
      ).choices(['auto', 'fixed']),
    )
    .addOption(
      new Option('--bitrate-min <rate>', 'lowest bit rate with --rate auto, bits per second (default: 100k)').argParser(
        readBitrate,
      ),
    )
    .addOption(
      new Option('--bitrate-max <rate>', 'highest bit rate with --rate auto, bits per second (default: 6M)').argParser(
        readBitrate,
      ),
    )
    .addOption(
      new Option('--gop <frames>', 'key frame interval of the encoder, frames; with --rate auto, on request only')
        .default(30)
        .argParser(readWhole({ min: 1, max: 10_000 }, 'frames')),
    )
    .addOption(
      new Option(
        '--fps <rate>',
        'frame rate of a raw .h264 or .h265 file that does not state it (default: 25)',
      ).argParser(readFramesPerSecond),
    )
    .option('--no-audio', 'leave the sound out')
    .option('--no-video', 'leave the pictures out')
    .addOption(
      new Option(
        '--audio-track <which>',
        'sound track: its number, from 1, or its language, such as eng (default: the first)',
      ).argParser(readAudioTrack),
    )
    .option('--ffmpeg <path>', 'path of ffmpeg (also: FFMPEG_PATH)')
    .addOption(
      new Option(
        '--start <time>',
        'place in the (first) file at which the stream starts: seconds, M:SS or H:MM:SS',
      ).argParser(readPlace),
    )
    .option('--loop', 'repeat the input until stopped')
    .option('--exit-when-done', 'exit after the end of the stream, or when the last receiver leaves')
    .optionsGroup('Limits:')
    .addOption(
      new Option('--mtu <bytes>', 'largest UDP payload, bytes')
        .default(1_200)
        .argParser(readWhole({ min: 200, max: 65_000 }, 'bytes')),
    )
    .addOption(
      new Option('--max-receivers <count>', 'maximum number of concurrent receivers')
        .default(64)
        .argParser(readReceivers),
    )
    // The former name of --max-receivers, which scripts use.
    .addOption(new Option('--receivers <count>').argParser(readReceivers).hideHelp())
    .on('option:receivers', (count: string) => {
      command.setOptionValueWithSource('maxReceivers', readReceivers(count), 'cli');
    })
    .addOption(
      new Option(
        '--receivers-per-address <count>',
        'most receivers of one IPv4 address or IPv6 /64, such as those behind a NAT (default: half of --max-receivers)',
      ).argParser(readReceivers),
    )
    .addOption(
      new Option('--history <size>', 'packets kept for retransmission, of all receivers together, megabytes')
        .default(128_000_000, '128MB')
        .argParser(readMegabytes),
    )
    .optionsGroup('Destination:')
    .option('--record <file>', 'record the stream as sent to FILE.mp4, FILE.mkv, FILE.ts, FILE.h264 or FILE.h265')
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION);
  addMetricsOption(command)
    .option('--json', 'log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .addHelpText(
      'after',
      `
Examples:
  dropframe send samples/counter.mp4 --loop
  dropframe send first.mp4 second.mp4 --loop
  dropframe send film.mp4 --start 12:30
  dropframe send film.mkv --encode x264 --bitrate 4M --gop 60 --listen 0.0.0.0:7000
  dropframe send testsrc=1280x720@30 --listen 0.0.0.0:7000 --passphrase-file secret.txt
  dropframe send film.mp4 --to rtp://127.0.0.1:5004 --sdp film.sdp --loop
  dropframe send film.mp4 --to rtp://10.0.0.2:5004 --local-port 6004
  dropframe send film.mp4 --to udp://10.0.0.2:1234
  dropframe send film.mp4 --to rist://10.0.0.2:5000
  dropframe send film.mp4 --whep 0.0.0.0:8889 --whep-token-file token.txt
  dropframe send rtsp://camera/stream --listen 0.0.0.0:7000
  some-encoder | dropframe send -

Live sources, read by ffmpeg: - (stdin), a named pipe, rist://@HOST:PORT (simple profile), udp://, rtp://, srt://, rtsp://, rtmp://, tcp://, v4l2:/dev/video0,
x11grab::0, lavfi:GRAPH. They run from the start, are sent as they come from a key frame on, without sound, and are opened
again when they return (pipes, URLs); the sender exits at the end of stdin and of devices.

The stream is also served to players by RTSP and to browsers by WHEP (WebRTC), at addresses that are printed. Pictures with
B-frames, HEVC and AAC are encoded anew for browsers, with ffmpeg, while one watches.
AAC and Opus are copied, other sound becomes Opus (with ffmpeg). The stream starts when the first receiver joins; later receivers join live at the next key
frame.
On an address that other machines can reach, control and media are encrypted (TLS 1.3, SRTP): receivers use the
printed URL, which contains the fingerprint of the certificate, or the passphrase. --insecure disables this; on
loopback, and with --to, nothing is encrypted.
With --to the stream starts at once and plays once (with --loop until stopped), to that address only, whether or not a
program receives it. RTP uses PORT, RTCP uses PORT + 1, sound PORT + 2 and PORT + 3. Requests of the receiver by RTCP (NACK) are answered with
retransmissions as the session description announces (AVPF, rtx); --local-port fixes the port that awaits them.
Exit codes: 0 success, 1 the run failed, 2 usage error, 3 a tool is missing, 130 ended at once by a signal.`,
    );
}

/** Names an option that is for plain RTP only, and what it does; `undefined` when none was given. */
function plainOnlyOption({ sdp, localPort, rtcpMux }: SendCommandOptions): string | undefined {
  if (sdp !== undefined) return '--sdp describes';
  if (localPort !== 0) return '--local-port is for';
  return rtcpMux === true ? '--rtcp-mux is for' : undefined;
}

async function send(inputs: readonly string[], options: SendCommandOptions): Promise<void> {
  const plainOnly = plainOnlyOption(options);
  if (plainOnly) throw new Failure(`${plainOnly} plain RTP and requires --to rtp://HOST:PORT`, 2);
  const [{ openRtsp }, { announceWhep, openWhep }, { StreamServer }, { serverSecurity }, { openRecord, openInputs }] =
    await Promise.all([
      import('./send-rtsp.ts'),
      import('./send-whep.ts'),
      import('../session/stream/stream-server.ts'),
      import('../session/stream/server-security.ts'),
      import('./source-options.ts'),
    ]);
  const context = new Context(options);
  const { log } = context;
  let finish: (error?: unknown) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (error) => (error === undefined ? resolve() : reject(error));
  });
  const security = await serverSecurity(options.listen.host, { ...options, passphrase: passphraseOf(options) });
  const interrupt = new Interrupt(() => finish());
  const source = await openInputs(inputs, { ...options, live: true }, log);
  const recorder = await openRecord(options, source, log);
  const server = new StreamServer({
    source,
    host: options.listen.host,
    port: options.listen.port,
    loop: options.loop === true,
    datagramBytesMax: options.mtu,
    receiversMax: options.maxReceivers,
    ...(options.receiversPerAddress !== undefined && { receiversPerAddressMax: options.receiversPerAddress }),
    historyBytes: options.history,
    ...security,
    log,
    onUnit: (unit) => recorder?.write(unit),
    onSound: (unit) => recorder?.write(unit, { isSound: true }),
    onIdle: (error) => {
      if (error !== undefined) log.error(`the source failed: ${(error as Error).message}`);
      // Nothing follows the end of a live source that does not return.
      if (options.exitWhenDone || source.description.isLive) finish(error);
      else log.info('waiting for the next receiver');
    },
  });
  let listening = false;
  let players: RtspServer | undefined;
  let browsers: WhepServer | undefined;
  let metrics: MetricsServer | undefined;
  try {
    await server.listen();
    const { live, historyBudget } = server;
    const own = { ...options, passphrase: passphraseOf(options) };
    const parts = { live, historyBudget, source, isProtected: security.identity !== undefined, log };
    players = await openRtsp(own, parts);
    browsers = await openWhep(own, parts);
    metrics = await serveMetrics(options, log, async () => {
      const { servedMetrics } = await import('../session/metrics/sender-metrics.ts');
      const watched = { rtsp: players, whep: browsers };
      return () => {
        const { totals, status } = server;
        return servedMetrics({ totals, status, watched });
      };
    });
    listening = true;
    const { name, codec, width, height, mode, durationSeconds } = source.description;
    const size = width > 0 ? `${width}×${height}` : 'sound';
    log.info(`serving ${name} (${size}, ${codec}, ${mode}) at ${server.urls.join(' or ')}`);
    if (players) log.info(`for players (mpv, ffplay, GStreamer, ffmpeg): ${players.urls.join(' or ')}`);
    if (browsers) announceWhep(browsers, options, parts);
    log.info(howText(source));
    if (options.insecure) log.warn('the stream is not encrypted: an on-path attacker can read and change it');
    else log.info(encryptionText(security, [...(players?.urls ?? []), ...(browsers?.urls ?? [])]));
    context.showStatus(
      () => statusOf(server, { RTSP: players?.sessions ?? [], WHEP: browsers?.sessions ?? [] }, durationSeconds),
      () => rateFields(server.status),
    );
    await finished;
  } finally {
    context.closeStatus();
    await metrics?.close();
    const { totals, status } = server;
    const playerTotals = { RTSP: players?.totals, WHEP: browsers?.totals };
    // The server first, so that a player that leaves does not make it wait for the next one.
    await Promise.all([server.close('the sender was stopped'), players?.close(), browsers?.close()]);
    await recorder?.close();
    await source.close();
    interrupt.dispose();
    // A sender that never served has nothing to report but its error.
    if (listening && options.json) log.info('totals', { ...totals });
    for (const [protocol, own] of Object.entries(playerTotals)) {
      if (own && options.json) log.info(`totals of ${protocol}`, { ...own });
    }
    if (listening) context.print(totalsText(totals, status, playerTotals));
  }
}
