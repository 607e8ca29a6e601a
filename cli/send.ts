import { type Command, Option } from 'commander';
import type { MetricsServer } from '../io/metrics/metrics-server.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { LogFields } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { PlayerSession } from '../session/player/player-session.ts';
import { RTP_PORT_MAX } from '../session/rtp/rtp-address.ts';
import type { RtspServer, RtspTotals } from '../session/rtsp/rtsp-server.ts';
import type { ServerSecurity } from '../session/stream/server-security.ts';
import type { StreamServerTotals } from '../session/stream/server-totals.ts';
import type { FollowedState, StreamServer, StreamServerStatus } from '../session/stream/stream-server.ts';
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
  readPlainTarget,
  readWhole,
} from './options.ts';
import type { SourceCommandOptions } from './source-options.ts';
import { countPart, positionText, rateText, type Status } from './status-text.ts';

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
  readonly loop?: boolean;
  readonly exitWhenDone?: boolean;
  readonly mtu: number;
  readonly receivers: number;
  readonly receiversPerAddress?: number;
  readonly history: number;
}

export const INPUT_HELP =
  'a file that ffmpeg reads, a raw .h264 or .h265 file, or testsrc (testsrc=WIDTHxHEIGHT@FPS:SECONDS)';

export function addSendCommand(program: Command): void {
  const command = program
    .command('send')
    .description('serve a file as a live stream: control over TCP, media over UDP on the same port')
    .argument('<input>', `${INPUT_HELP}, or a live source (see below)`)
    .action(async (input: string, options: SendCommandOptions) => {
      const { to } = options;
      if (to === undefined) return await send(input, options);
      if (command.getOptionValueSource('listen') === 'cli') {
        throw new Failure('--to (plain RTP) and --listen (wait for receivers) cannot be combined', 2);
      }
      if (typeof options.rtsp === 'object' || options.rtspLoginFile !== undefined) {
        throw new Failure('--to (plain RTP) and the options of RTSP cannot be combined', 2);
      }
      const { sendRtp } = await import('./send-rtp.ts');
      await sendRtp(input, { ...options, to }, new Context(options));
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
        'send to players and other programs instead: plain RTP to rtp://HOST:PORT, MPEG-TS to udp://HOST:PORT or rtp+ts://HOST:PORT',
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
      new Option('--encode <how>', 'auto copies H.264 that is suitable for a live stream and encodes everything else')
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
    .option('--loop', 'repeat the input until stopped')
    .option('--exit-when-done', 'exit after the end of the stream, or when the last receiver leaves')
    .optionsGroup('Limits:')
    .addOption(
      new Option('--mtu <bytes>', 'largest UDP payload, bytes')
        .default(1_200)
        .argParser(readWhole({ min: 200, max: 65_000 }, 'bytes')),
    )
    .addOption(
      new Option('--receivers <count>', 'maximum number of concurrent receivers')
        .default(64)
        .argParser(readWhole({ min: 1, max: 1_000 }, 'receivers')),
    )
    .addOption(
      new Option(
        '--receivers-per-address <count>',
        'most receivers of one IPv4 address or IPv6 /64, such as those behind a NAT (default: half of --receivers)',
      ).argParser(readWhole({ min: 1, max: 1_000 }, 'receivers')),
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
  dropframe send film.mkv --encode x264 --bitrate 4M --gop 60 --listen 0.0.0.0:7000
  dropframe send testsrc=1280x720@30 --listen 0.0.0.0:7000 --passphrase-file secret.txt
  dropframe send film.mp4 --to rtp://127.0.0.1:5004 --sdp film.sdp --loop
  dropframe send rtsp://camera/stream --listen 0.0.0.0:7000
  some-encoder | dropframe send -

Live sources, read by ffmpeg: - (stdin), a named pipe, udp://, rtp://, srt://, rtsp://, rtmp://, tcp://, v4l2:/dev/video0,
x11grab::0, lavfi:GRAPH. They run from the start, are sent as they come, without sound, and are opened again when they
return (pipes, URLs); the sender exits at the end of stdin and of devices.
  dropframe send film.mp4 --to rtp://10.0.0.2:5004 --local-port 6004
  dropframe send film.mp4 --to udp://10.0.0.2:1234

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

async function send(input: string, options: SendCommandOptions): Promise<void> {
  const plainOnly = plainOnlyOption(options);
  if (plainOnly) throw new Failure(`${plainOnly} plain RTP and requires --to rtp://HOST:PORT`, 2);
  const [{ openRtsp }, { StreamServer }, { serverSecurity }, { openRecord, openInput }] = await Promise.all([
    import('./send-rtsp.ts'),
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
  const source = await openInput(input, { ...options, live: true }, log);
  const recorder = await openRecord(options, source, log);
  const server = new StreamServer({
    source,
    host: options.listen.host,
    port: options.listen.port,
    loop: options.loop === true,
    datagramBytesMax: options.mtu,
    receiversMax: options.receivers,
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
  let metrics: MetricsServer | undefined;
  try {
    await server.listen();
    players = await openRtsp(
      { ...options, passphrase: passphraseOf(options) },
      { live: server.live, source, isProtected: security.identity !== undefined, log },
    );
    metrics = await serveMetrics(options, log, async () => {
      const { servedMetrics } = await import('../session/metrics/sender-metrics.ts');
      const watched = players;
      return () => {
        const { totals, status } = server;
        return servedMetrics({ totals, status, players: watched });
      };
    });
    listening = true;
    const { name, codec, width, height, mode, durationSeconds } = source.description;
    const size = width > 0 ? `${width}×${height}` : 'sound';
    log.info(`serving ${name} (${size}, ${codec}, ${mode}) at ${server.urls.join(' or ')}`);
    if (players) log.info(`for players (mpv, ffplay, GStreamer, ffmpeg): ${players.urls.join(' or ')}`);
    log.info(howText(source));
    if (options.insecure) log.warn('the stream is not encrypted: an on-path attacker can read and change it');
    else log.info(encryptionText(security));
    context.showStatus(
      () => statusOf(server, players?.sessions ?? [], durationSeconds),
      () => rateFields(server.status),
    );
    await finished;
  } finally {
    context.closeStatus();
    await metrics?.close();
    const { totals, status } = server;
    const playerTotals = players?.totals;
    // The server first, so that a player that leaves does not make it wait for the next one.
    await Promise.all([server.close('the sender was stopped'), players?.close()]);
    await recorder?.close();
    await source.close();
    interrupt.dispose();
    // A sender that never served has nothing to report but its error.
    if (listening && options.json) log.info('totals', { ...totals });
    if (playerTotals && options.json) log.info('totals of RTSP', { ...playerTotals });
    if (listening) context.print(totalsText(totals, status, playerTotals));
  }
}

/** The source's reaction to a change of the path, as one line. */
function howText({ description, adaptive }: MediaSource): string {
  if (adaptive === undefined) {
    const thins = 'frames that exceed the capacity of the path are dropped';
    if (description.width === 0) return `sound alone, ${description.mode === 'copy' ? 'copied' : 'encoded as Opus'}`;
    return description.mode === 'copy' ? `copied; ${thins}` : `encoding with x264 at a fixed bit rate; ${thins}`;
  }
  const { bitrateMin, bitrateMax, state } = adaptive;
  const range = `${rateText(bitrateMin)} to ${rateText(bitrateMax)}`;
  return `encoding with x264 ${state.preset}, ${state.width}×${state.height}, follows the path from ${range}`;
}

function encryptionText({ identity, passphrase }: ServerSecurity): string {
  if (!identity) return 'not encrypted: only programs on this machine can connect';
  const proof =
    passphrase === undefined ? 'receivers use this URL, fingerprint included' : 'receivers need the passphrase';
  return `encrypted with TLS 1.3 and SRTP: ${proof}`;
}

function totalsText(totals: StreamServerTotals, status: StreamServerStatus, players?: RtspTotals): string {
  const { receivers, frames, packets, bytes, retransmissions } = totals;
  const refused = `${status.connectionsRefused} connections and ${status.datagramsForeign} datagrams refused`;
  const unsent =
    totals.refused > 0 ? `\n  unsent   ${totals.refused} datagrams, which the operating system refused to send` : '';
  const rates = followedText(totals);
  const watched =
    players && players.players > 0
      ? `  RTSP     ${players.players} player${players.players === 1 ? '' : 's'}: ${players.frames} frames in ${players.packets} packets (${(players.bytes / 1e6).toFixed(2)} MB)\n`
      : '';
  return (
    `  served   ${receivers} receiver${receivers === 1 ? '' : 's'}: ${frames} frames in ${packets} packets ` +
    `(${(bytes / 1e6).toFixed(2)} MB), ${retransmissions} retransmissions\n${watched}${rates}  refused  ${refused}${unsent}`
  );
}

/** Mean rates of a source that followed; empty for any other. */
function followedText({ meanTarget, followedSeconds, sentBytes, deliveredBytes }: StreamServerTotals): string {
  if (meanTarget === undefined) return '';
  const mean = (bytes: number): string => rateText((bytes * 8) / followedSeconds);
  const rates = `target ${rateText(meanTarget)}, sent ${mean(sentBytes)}, delivered ${mean(deliveredBytes)}`;
  return `  rate     ${rates} on average\n`;
}

/** `target 1.20 Mb/s, sent 1.31 Mb/s, delivered 1.30 Mb/s, path 1.40 Mb/s, 1280×720`. */
function adaptiveText({ path, rates, bitrate, width, height }: FollowedState): string {
  const parts = [`target ${rateText(bitrate)}`];
  if (rates) parts.push(`sent ${rateText(rates.sent)}`, `delivered ${rateText(rates.delivered)}`);
  if (path !== undefined) parts.push(`path ${rateText(path)}`);
  return [...parts, `${width}×${height}`].join(', ');
}

/** The same for `--json`, bits per second. */
function rateFields({ adaptive }: StreamServerStatus): LogFields {
  if (!adaptive) return {};
  const { path, rates, bitrate, width, height } = adaptive;
  const whole = (rate: number | undefined): number | null => (rate === undefined ? null : Math.round(rate));
  const [sent, delivered] = [whole(rates?.sent), whole(rates?.delivered)];
  return { target: Math.round(bitrate), sent, delivered, path: whole(path), width, height };
}

function statusOf(server: StreamServer, players: readonly PlayerSession[], of: number | undefined): Status | undefined {
  const { receivers, positionSeconds, adaptive } = server.status;
  if (receivers.length + players.length === 0) return undefined;
  const sent = [...receivers.map(({ statistics }) => statistics.frames), ...players.map(({ totals }) => totals.frames)];
  const frames = Math.max(...sent);
  const resent = receivers.reduce((sum, receiver) => sum + receiver.statistics.retransmissions, 0);
  const hostDrops = receivers.reduce((sum, receiver) => sum + (receiver.reported?.hostDrops ?? 0), 0);
  const lost = receivers.reduce((sum, receiver) => sum + (receiver.reported?.framesLost ?? 0), 0);
  return [
    ...(positionSeconds === undefined ? [] : [positionText({ seconds: positionSeconds, of })]),
    `${receivers.length} receiver${receivers.length === 1 ? '' : 's'}`,
    ...(players.length > 0 ? [`${players.length} by RTSP`] : []),
    ...(adaptive ? [adaptiveText(adaptive)] : []),
    countPart(lost, `${lost} reported lost`, 'bad'),
    ...(hostDrops > 0 ? [countPart(hostDrops, `${hostDrops} dropped by receivers' computers`, 'bad')] : []),
    `${resent} retransmissions`,
    `${frames} frames sent`,
  ];
}
