import { LIVE_SOURCE_ROWS } from './live-source-rows.ts';
import { PLAYER_ROWS } from './player-rows.ts';
import { RECOVERY_ROWS } from './recovery-rows.ts';
import type { InteropRow, Measure } from './row.ts';

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

const PLAIN_ROWS: readonly InteropRow[] = [
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

/** Every row that was ever tried, red ones included. */
export const ROWS: readonly InteropRow[] = [...PLAIN_ROWS, ...RECOVERY_ROWS, ...PLAYER_ROWS, ...LIVE_SOURCE_ROWS];

const untried = { recovery: '–', codec: '–', steps: [] } as const;

/** A row that needs more than a command line: a login, or a page that tells what it shows. */
const tested = (row: Pick<InteropRow, 'program' | 'direction' | 'protocol' | 'codec'>, test: string): InteropRow => ({
  ...{ ...row, recovery: 'none', steps: [] },
  notRun: `tested: \`${test}\``,
});

/** Rows that this script cannot run. */
export const NOT_RUN: readonly InteropRow[] = [
  tested(
    { program: 'ffmpeg', direction: 'from us', protocol: 'RTSP and RTSPS with digest', codec: 'H.264' },
    'interop/rtsp',
  ),
  tested({ program: 'ffmpeg', direction: 'from us', protocol: 'RTP', codec: 'HEVC' }, 'interop/hevc'),
  tested(
    { program: 'ffmpeg', direction: 'to us', protocol: 'RTP, two outputs', codec: 'H.264, AAC, Opus' },
    'interop/plain-sound',
  ),
  {
    ...tested(
      { program: 'chromium', direction: 'from us', protocol: 'WebRTC by WHEP', codec: 'H.264, Opus' },
      'browser/whep',
    ),
    recovery: 'NACK, RTX',
  },
  {
    ...{ ...untried, program: 'OBS Studio', direction: 'from us', protocol: 'RTSP over TCP', codec: 'H.264' },
    notRun: 'plays: 29.0.2, as a Media Source, opened by hand',
  },
  {
    ...{ ...untried, program: 'Firefox', direction: 'from us', protocol: 'WebRTC by WHEP', codec: 'H.264' },
    notRun:
      '**no picture** in a new profile: no H.264 until Firefox has downloaded OpenH264, which the page says (`browser/whep`)',
  },
  {
    ...{ ...untried, program: 'Safari', direction: 'from us', protocol: 'WebRTC by WHEP' },
    notRun: 'not tried: there is none for Linux',
  },
  {
    ...untried,
    program: 'MediaMTX, go2rtc',
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
