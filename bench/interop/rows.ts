/** A program of a row, and when the next one starts. */
export interface Step {
  /** `dropframe` is this program. `{port}`, `{other}` (two free even ports) and `{folder}` are replaced. */
  readonly command: string;
  /** Text in its output after which the next program starts; default: after a second. */
  readonly ready?: RegExp;
}

/** Outcome test of a row. */
export type Measure =
  /** Packets of each stream of a file that the row writes, as ffprobe counts them; at least these are expected. */
  | { readonly kind: 'file'; readonly path: string; readonly pictures: number; readonly sounds?: number }
  /** Frames of a summary of `dropframe receive`: this share of them is expected whole and in time. */
  | { readonly kind: 'summary'; readonly share: number; readonly repaired?: true };

/** A line of the table: programs that are run, or the reason for which they cannot be. */
export interface InteropRow {
  readonly program: string;
  readonly direction: 'from us' | 'to us';
  readonly protocol: string;
  readonly recovery: string;
  readonly codec: string;
  /** Started in order; the row ends with the last one. */
  readonly steps: readonly Step[];
  readonly measure?: Measure;
  /** Why it cannot be run by this script; it names the test that does, where there is one. */
  readonly notRun?: string;
}

const SEND = 'dropframe send samples/flash.mp4 --loop --no-whep --listen 127.0.0.1:{other}';
const TO = 'dropframe send samples/flash.mp4 --loop';
const RECEIVE = 'dropframe receive rtp://127.0.0.1:{port} --play none --timeout 4 --latency 300';
const PATTERN = 'videotestsrc num-buffers=150 is-live=true ! video/x-raw,width=640,height=360,framerate=30/1';
const X264 = 'x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=30';
const PAYLOADER = 'rtph264pay config-interval=-1 pt=96';
const COPY = '-t 4 -c copy {folder}/out.mkv';
const BOTH: Measure = { kind: 'file', path: 'out.mkv', pictures: 75, sounds: 140 };
const serving = /for players/;
const sending = /sending flash/;
const waiting = /waiting for RTP/;

const fromUs = { program: 'ffmpeg', direction: 'from us', recovery: 'none', codec: 'H.264, AAC' } as const;
const summary = '--summary {folder}/summary.json';

/** Every row that was ever tried, red ones included. */
export const ROWS: readonly InteropRow[] = [
  {
    ...{ ...fromUs, protocol: 'RTP, by SDP file', measure: BOTH },
    steps: [
      { command: `${TO} --to rtp://127.0.0.1:{port} --sdp {folder}/live.sdp`, ready: sending },
      { command: `ffmpeg -protocol_whitelist file,udp,rtp -i {folder}/live.sdp ${COPY}` },
    ],
  },
  {
    ...{ ...fromUs, protocol: 'MPEG-TS over UDP', measure: BOTH },
    steps: [
      { command: `${TO} --to udp://127.0.0.1:{port}`, ready: sending },
      { command: `ffmpeg -i udp://127.0.0.1:{port} ${COPY}` },
    ],
  },
  {
    ...{ ...fromUs, protocol: 'MPEG-TS over UDP, 1 Mb/s constant', measure: BOTH },
    steps: [
      { command: `${TO} --to udp://127.0.0.1:{port}?bitrate=1M`, ready: sending },
      { command: `ffmpeg -i udp://127.0.0.1:{port} ${COPY}` },
    ],
  },
  {
    ...{ ...fromUs, protocol: 'MPEG-TS over UDP to a group', measure: BOTH },
    steps: [
      { command: `${TO} --to udp://239.255.77.1:{port}?interface=127.0.0.1`, ready: sending },
      { command: `ffmpeg -i udp://239.255.77.1:{port}?localaddr=127.0.0.1 ${COPY}` },
    ],
  },
  {
    ...{ ...fromUs, protocol: 'MPEG-TS over RTP', measure: BOTH },
    steps: [
      { command: `${TO} --to rtp+ts://127.0.0.1:{port}`, ready: sending },
      { command: `ffmpeg -i rtp://127.0.0.1:{port} ${COPY}` },
    ],
  },
  ...(['udp', 'tcp'] as const).map(
    (lower): InteropRow => ({
      ...{ ...fromUs, protocol: `RTSP over ${lower.toUpperCase()}` },
      // With B-frames ffmpeg decodes RTP, and does not copy it.
      measure: BOTH,
      steps: [
        { command: `${SEND} --rtsp {port}`, ready: serving },
        { command: `ffmpeg -rtsp_transport ${lower} -i rtsp://127.0.0.1:{port}/flash -t 4 {folder}/out.mkv` },
      ],
    }),
  ),
  {
    ...{ ...fromUs, program: 'gst-launch-1.0', protocol: 'RTSP over TCP', codec: 'H.264' },
    measure: { kind: 'file', path: 'out.h264', pictures: 60 },
    steps: [
      { command: `${SEND} --rtsp {port}`, ready: serving },
      {
        command:
          'timeout -s INT 8 gst-launch-1.0 -e rtspsrc location=rtsp://127.0.0.1:{port}/flash protocols=tcp latency=200 ! rtph264depay ! h264parse ! video/x-h264,stream-format=byte-stream ! filesink location={folder}/out.h264',
      },
    ],
  },
  {
    ...{ ...fromUs, program: 'ristreceiver', protocol: 'RIST simple profile', recovery: 'requests', measure: BOTH },
    steps: [
      { command: 'ristreceiver --profile 0 --buffer 300 -i rist://@127.0.0.1:{port} -o udp://127.0.0.1:{other}' },
      { command: `${TO} --to rist://127.0.0.1:{port}`, ready: sending },
      { command: `ffmpeg -i udp://127.0.0.1:{other} ${COPY}` },
    ],
  },
  {
    ...{ program: 'ffmpeg', direction: 'to us', protocol: 'RTP', recovery: 'none', codec: 'H.264' },
    measure: { kind: 'summary', share: 1 },
    steps: [
      { command: `${RECEIVE} ${summary}`, ready: waiting },
      {
        command:
          'ffmpeg -re -f lavfi -i testsrc2=size=320x180:rate=30 -frames:v 150 -c:v libx264 -preset ultrafast -g 30 -rtpflags send_bye -f rtp rtp://127.0.0.1:{port}',
      },
    ],
  },
  {
    ...{ program: 'gst-launch-1.0', direction: 'to us', protocol: 'RTP', recovery: 'none', codec: 'H.264' },
    measure: { kind: 'summary', share: 1 },
    steps: [
      { command: `${RECEIVE} ${summary}`, ready: waiting },
      { command: `gst-launch-1.0 ${PATTERN} ! ${X264} ! ${PAYLOADER} ! udpsink host=127.0.0.1 port={port}` },
    ],
  },
  {
    ...{
      program: 'gst-launch-1.0',
      direction: 'to us',
      protocol: 'RTP over 3 % loss',
      recovery: 'ULPFEC',
      codec: 'H.264',
    },
    measure: { kind: 'summary', share: 0.8, repaired: true },
    steps: [
      { command: `${RECEIVE} --recovery reorder --link loss=3% ${summary}`, ready: waiting },
      {
        command: `gst-launch-1.0 ${PATTERN} ! ${X264} ! ${PAYLOADER} ! rtpulpfecenc pt=122 percentage=100 percentage-important=100 ! udpsink host=127.0.0.1 port={port}`,
      },
    ],
  },
  {
    ...{ program: 'ristsender', direction: 'to us', protocol: 'RIST simple profile', recovery: 'NACK', codec: 'H.264' },
    measure: { kind: 'file', path: 'out.mkv', pictures: 60 },
    steps: [
      {
        command:
          'dropframe receive rist://@127.0.0.1:{port} --play none --timeout 6 --latency 500 --output {folder}/out.mkv',
        ready: /waiting/,
      },
      { command: 'ristsender --profile 0 -i udp://@127.0.0.1:{other} -o rist://127.0.0.1:{port}' },
      {
        command:
          'ffmpeg -re -stream_loop 1 -i samples/flash.mp4 -c copy -f mpegts udp://127.0.0.1:{other}?pkt_size=1316',
      },
    ],
  },
];

const untried = { recovery: '–', codec: '–', steps: [] } as const;

/** Rows that this script cannot run. */
export const NOT_RUN: readonly InteropRow[] = [
  {
    ...{
      ...untried,
      program: 'gst-launch-1.0',
      direction: 'from us',
      protocol: 'RTP',
      recovery: 'NACK, RTX',
      codec: 'H.264',
    },
    notRun: 'section A, with three lossy links; tested: `interop/feedback`',
  },
  {
    ...{
      ...untried,
      program: 'gst-launch-1.0',
      direction: 'to us',
      protocol: 'RTP',
      recovery: 'NACK, RTX',
      codec: 'H.264',
    },
    notRun: 'section B, with a lossy link; tested: `interop/feedback`',
  },
  {
    ...{
      ...untried,
      program: 'chromium',
      direction: 'from us',
      protocol: 'WebRTC by WHEP',
      recovery: 'NACK, RTX',
      codec: 'H.264, Opus',
    },
    notRun: 'section G: a page tells what it shows; tested: `browser/whep`',
  },
  {
    ...{ ...untried, program: 'vlc', direction: 'from us', protocol: 'RTSP' },
    notRun: 'by hand, as it refuses to run as root: **does not play**; Debian builds it without live555',
  },
  { ...untried, program: 'Firefox, Safari', direction: 'from us', protocol: 'WebRTC by WHEP', notRun: 'not tried' },
  {
    ...untried,
    program: 'OBS, MediaMTX, go2rtc',
    direction: 'from us',
    protocol: 'RTSP, WHEP',
    notRun: 'not tried: they were not to be had',
  },
  {
    ...untried,
    program: 'a camera',
    direction: 'to us',
    protocol: 'RTSP, `v4l2:`',
    notRun: 'not tried: there was none',
  },
];
