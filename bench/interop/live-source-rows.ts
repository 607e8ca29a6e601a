import type { InteropRow, Step } from './row.ts';

const LIVE = 'ffmpeg -v error -re -stream_loop -1 -i samples/counter.mp4 -t 40 -c copy';
const serving = /for players/;

/** Sends a live source, and receives it for eight seconds. */
const sent = (source: string): readonly Step[] => [
  { command: `dropframe send ${source} --listen 127.0.0.1:{other} --no-rtsp --no-whep`, ready: /serving/ },
  watch,
];
const watch: Step = {
  command:
    'timeout -s INT 8 dropframe receive 127.0.0.1:{other} --play none --latency 300 --summary {folder}/summary.json',
};

const row = (protocol: string, steps: readonly Step[], program = 'ffmpeg'): InteropRow => ({
  ...{ program, direction: 'to us', protocol: `live source: ${protocol}`, recovery: '–', codec: 'H.264' },
  measure: { kind: 'summary', share: 0.99 },
  steps,
});

/** Rows of live sources, which `send` sends on as they come. */
export const LIVE_SOURCE_ROWS: readonly InteropRow[] = [
  row('stdin, MPEG-TS', [
    {
      command: `sh -c "${LIVE} -f mpegts - | dropframe send - --listen 127.0.0.1:{other} --no-rtsp --no-whep"`,
      ready: /serving/,
    },
    watch,
  ]),
  row('named pipe, MPEG-TS', [
    { command: 'mkfifo {folder}/pipe' },
    { command: `${LIVE} -y -f mpegts {folder}/pipe` },
    ...sent('{folder}/pipe'),
  ]),
  row('udp://', [
    { command: `${LIVE} -f mpegts udp://127.0.0.1:{port}?pkt_size=1316` },
    ...sent('udp://127.0.0.1:{port}'),
  ]),
  row('rtp://, MPEG-TS', [
    { command: `${LIVE} -f rtp_mpegts rtp://127.0.0.1:{port}` },
    ...sent('rtp://127.0.0.1:{port}'),
  ]),
  row('srt://, as caller', [
    { command: `${LIVE} -f mpegts srt://127.0.0.1:{port}?mode=listener` },
    ...sent('srt://127.0.0.1:{port}?mode=caller'),
  ]),
  row('rtmp://, a server of one connection', [
    { command: `${LIVE} -f flv -listen 1 rtmp://127.0.0.1:{port}/live/film` },
    ...sent('rtmp://127.0.0.1:{port}/live/film'),
  ]),
  row(
    'rtsp://, this program as the camera',
    [
      {
        command: 'dropframe send samples/counter.mp4 --loop --no-whep --listen 127.0.0.1:{port}+1 --rtsp {port}',
        ready: serving,
      },
      ...sent('rtsp://127.0.0.1:{port}/counter'),
    ],
    'ffmpeg',
  ),
  row('lavfi:', sent('lavfi:testsrc2=size=320x180:rate=30')),
  row('x11grab:', [{ command: 'Xvfb :{port} -screen 0 640x360x24' }, ...sent('x11grab::{port}')]),
  {
    ...{
      program: 'srt-live-transmit',
      direction: 'from us',
      protocol: 'MPEG-TS over SRT',
      recovery: "SRT's own",
      codec: 'H.264',
    },
    measure: { kind: 'file', path: 'out.ts', pictures: 150 },
    steps: [
      { command: 'srt-live-transmit srt://127.0.0.1:{port}?mode=listener udp://127.0.0.1:{other}' },
      { command: 'srt-live-transmit udp://127.0.0.1:{port}+1 srt://127.0.0.1:{port}?mode=caller' },
      { command: 'dropframe send samples/counter.mp4 --loop --to udp://127.0.0.1:{port}+1', ready: /sending counter/ },
      { command: 'ffmpeg -i udp://127.0.0.1:{other} -t 8 -c copy {folder}/out.ts' },
    ],
  },
];
