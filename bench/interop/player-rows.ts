import type { InteropRow } from './row.ts';

const SERVE = 'dropframe send samples/counter.mp4 --loop --no-whep --listen 127.0.0.1:{other} --rtsp {port}';
const TO = 'dropframe send samples/flash.mp4 --loop';
const serving = /for players/;
const sending = /sending flash/;
/** VLC refuses to run as root. */
const NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
const VLC = `env HOME={folder} ${NOBODY} cvlc -I dummy --no-interact --run-time=6`;
const rtsp = { direction: 'from us', recovery: 'none', codec: 'H.264' } as const;
const vlc = { program: 'vlc', versionOf: `${NOBODY} vlc`, direction: 'from us', recovery: 'none' } as const;

/** Rows of players. */
export const PLAYER_ROWS: readonly InteropRow[] = [
  ...(['udp', 'tcp'] as const).map(
    (lower): InteropRow => ({
      ...{ ...rtsp, program: 'ffplay', protocol: `RTSP over ${lower.toUpperCase()}` },
      measure: {
        kind: 'output',
        good: /\s([2-9]\.\d+) (?:A-V|M-V):[^\r\n]*$/m,
        text: 'plays, {} s when it was ended',
        otherwise: 'its clock did not run',
      },
      steps: [
        { command: SERVE, ready: serving },
        {
          command: `timeout -s INT 9 env SDL_VIDEODRIVER=dummy ffplay -stats -rtsp_transport ${lower} rtsp://127.0.0.1:{port}/counter`,
        },
      ],
    }),
  ),
  {
    ...{ ...rtsp, program: 'mpv', protocol: 'RTSP over TCP' },
    measure: {
      kind: 'output',
      good: /shown (9\d) End of file|Exiting\.\.\. \(End of file\)/,
      text: 'plays 90 pictures',
      otherwise: 'did not show 90 pictures',
    },
    steps: [
      { command: SERVE, ready: serving },
      { command: 'timeout -s INT 15 mpv --vo=null --ao=null --frames=90 rtsp://127.0.0.1:{port}/counter' },
    ],
  },
  {
    ...{ ...vlc, protocol: 'RTSP', codec: '–' },
    measure: {
      kind: 'output',
      good: /live555/,
      text: 'has a module for RTSP',
      otherwise: '`vlc -l` lists no live555: Debian builds it with RTSP of Real and SAT>IP servers only',
    },
    steps: [{ command: `${NOBODY} vlc -l` }],
  },
  ...(['udp', 'rtp+ts'] as const).map(
    (form): InteropRow => ({
      ...{ ...vlc, protocol: form === 'udp' ? 'MPEG-TS over UDP' : 'MPEG-TS over RTP', codec: 'H.264, AAC' },
      measure: { kind: 'file', path: 'out.ts', pictures: 75, sounds: 140 },
      steps: [
        { command: 'chmod 777 {folder}' },
        { command: `${TO} --to ${form}://127.0.0.1:{port}`, ready: sending },
        {
          command: `timeout -s INT 12 ${VLC} ${form === 'udp' ? 'udp' : 'rtp'}://@127.0.0.1:{port} --sout #std{access=file,mux=ts,dst={folder}/out.ts} vlc://quit`,
        },
      ],
    }),
  ),
];
