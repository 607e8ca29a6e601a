import type { InteropRow } from './row.ts';

const LOSSY = 'loss=3% delay=20ms';
const SESSION = 'rtpsession name=s rtp-profile=avpf rtcp-min-interval=20000000 bandwidth=4000000';
const CAPS = 'application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96';
const RTX = 'payload-type-map="application/x-rtp-pt-map,96=(uint)97"';

const link = (from: string, to: string, seed: number) => ({
  command: `dropframe link --listen 127.0.0.1:${from} --to 127.0.0.1:${to} --link "${LOSSY} seed=${seed}"`,
  ready: /listen|link|forward/,
});

const rtp = { program: 'gst-launch-1.0', protocol: 'RTP, 3 % loss and 20 ms each way', codec: 'H.264' } as const;
const rist = { protocol: 'RIST simple profile, 3 % loss and 20 ms each way' } as const;

/** Rows with losses, which are repaired. Twenty seconds each. */
export const RECOVERY_ROWS: readonly InteropRow[] = [
  {
    ...{ ...rtp, direction: 'from us', recovery: 'NACK, RTX within 200 ms' },
    measure: { kind: 'file', path: 'out.h264', pictures: 599 },
    steps: [
      {
        command:
          `timeout -s INT 45 gst-launch-1.0 -e ${SESSION} probation=0 udpsrc port={port} caps="${CAPS}" ! s.recv_rtp_sink ` +
          `s.recv_rtp_src ! rtprtxreceive ${RTX} ! rtpssrcdemux ! rtpjitterbuffer do-retransmission=true latency=200 ! ` +
          'rtph264depay ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink location={folder}/out.h264 ' +
          'udpsrc port={port}+1 ! s.recv_rtcp_sink s.send_rtcp_src ! udpsink host=127.0.0.1 port={other}+5 sync=false async=false',
        ready: /PLAYING|New clock/,
      },
      link('{port}+2', '{port}', 1),
      link('{port}+3', '{port}+1', 2),
      link('{other}+5', '{other}+1', 3),
      {
        command:
          'dropframe send testsrc=640x360@30:20 --bitrate 1500k --to rtp://127.0.0.1:{port}+2 --local-port {other}',
      },
      { command: 'sleep 38' },
    ],
  },
  {
    ...{ ...rtp, direction: 'to us', recovery: 'NACK, RTX within 200 ms' },
    measure: { kind: 'summary', share: 0.999 },
    steps: [
      {
        command: `dropframe receive rtp://127.0.0.1:{port} --rtcp-to 127.0.0.1:{other} --link "${LOSSY} seed=5" --latency 200 --play none --timeout 4 --summary {folder}/summary.json`,
        ready: /waiting for RTP/,
      },
      {
        command:
          'gst-launch-1.0 rtpsession name=s rtp-profile=avpf videotestsrc is-live=true num-buffers=600 ! video/x-raw,width=640,height=360,framerate=30/1 ! ' +
          'x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=60 ! rtph264pay config-interval=-1 pt=96 ! ' +
          `rtprtxsend ${RTX} max-size-time=2000 ! s.send_rtp_sink s.send_rtp_src ! udpsink host=127.0.0.1 port={port} ` +
          's.send_rtcp_src ! udpsink host=127.0.0.1 port={port}+1 sync=false async=false udpsrc port={other} ! s.recv_rtcp_sink',
      },
    ],
  },
  {
    ...{ ...rist, program: 'ristreceiver', direction: 'from us', recovery: 'range requests', codec: 'H.264, AAC' },
    measure: { kind: 'file', path: 'out.mkv', pictures: 240, sounds: 450 },
    steps: [
      link('{port}+2', '{port}', 1),
      link('{port}+3', '{port}+1', 2),
      { command: 'ristreceiver --profile 0 --buffer 500 -i rist://@127.0.0.1:{port} -o udp://127.0.0.1:{other}' },
      { command: 'dropframe send samples/flash.mp4 --loop --to rist://127.0.0.1:{port}+2', ready: /sending flash/ },
      { command: 'ffmpeg -i udp://127.0.0.1:{other} -t 10 -c copy {folder}/out.mkv' },
    ],
  },
  {
    ...{ ...rist, program: 'ristsender', direction: 'to us', recovery: 'NACK by bit mask', codec: 'H.264' },
    measure: { kind: 'file', path: 'out.mkv', pictures: 290 },
    steps: [
      {
        command: `dropframe receive rist://@127.0.0.1:{port} --play none --timeout 6 --latency 1000 --link "${LOSSY} seed=5" --output {folder}/out.mkv`,
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
