/** Examples and notes behind the options of `dropframe receive --help`. */
export const RECEIVE_HELP = `
Examples:
  dropframe receive dropframe://127.0.0.1:7000
  dropframe receive dropframe://127.0.0.1:7000 --link "loss=5% delay=20ms" --latency 200
  dropframe receive "dropframe://10.0.0.2:7000?fingerprint=3f9a…" (the URL that the sender prints)
  DROPFRAME_PASSPHRASE=… dropframe receive dropframe://10.0.0.2:7000
  dropframe receive "dropframe://127.0.0.1:7000?transport=tcp" --play none --summary tcp.json
  dropframe receive dropframe://127.0.0.1:7000 --play none --output - | ffplay -f h264 -
  dropframe receive dropframe://10.0.0.2:7000 --second-path 192.168.8.20 (by a second network as well)
  dropframe receive rtp://127.0.0.1:5004 --output camera.mp4
  dropframe receive camera.sdp --latency 300
  dropframe receive rist://@0.0.0.0:5000 --latency 1000
  dropframe receive rtp://0.0.0.0:5004 --rtcp-to 10.0.0.3:6005 --latency 200

rtp:// and SDP files name an address of this machine to which ffmpeg, GStreamer or a camera sends plain RTP: H.264 by rtp://; H.264, HEVC, VP9 or AV1 with Opus or AAC by an SDP file.
Such a run ends with an RTCP BYE or after --timeout without packets. Reports, requests for missing packets (NACK) and for
key frames (PLI) go back by RTCP as the SDP file allows, without one always; answers are retransmissions (RFC 4588).
rist:// is MPEG-TS by RIST Simple Profile (VSF TR-06-1; librist with --profile 0), with requests for missing packets and without
its sound; its pictures are found by ffmpeg.
With --transport tcp and --link the media crosses a model of Linux TCP, whose segments the link loses, delays and queues:
no data is lost, but some of it is late. Without --link it is the kernel's TCP.
Options in a URL are those of connection and delay; ports, files, programs and links are for the command line only.
In a terminal, space pauses and resumes live, q stops. If the sender is absent or disappears, receive waits for it for
--timeout; a sender that disappears without a goodbye and does not return is a failure. Ctrl-C stops the run and
prints the summary; a second one exits at once.
Exit codes: 0 success, 1 the run failed, 2 usage error, 3 a tool is missing, 130 ended at once by a signal.`;
