/** Lines that an offer of a browser has, in Chromium's words, without those that a sender does not read. */
export const TRANSPORT = [
  'a=ice-ufrag:Wv1x',
  'a=ice-pwd:Zk4+0Q/aE9y1bU2sC7dF8gHj',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, index) => (index + 160).toString(16)).join(':')}`,
  'a=setup:actpass',
];

const VIDEO = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 106 107 108 109 39 40 98 99',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  ...h264(102, 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f'),
  ...h264(104, 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f'),
  ...h264(106, 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'),
  ...h264(39, 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f'),
  ...h264(108, 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f'),
  'a=rtpmap:98 VP9/90000',
  'a=fmtp:98 profile-id=0',
  'a=rtpmap:99 rtx/90000',
  'a=fmtp:99 apt=98',
];

const AUDIO = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1',
  'a=rtpmap:63 red/48000/2',
  'a=rtpmap:0 PCMU/8000',
];

function h264(payloadType: number, parameters: string): string[] {
  return [
    `a=rtpmap:${payloadType} H264/90000`,
    `a=rtcp-fb:${payloadType} goog-remb`,
    `a=rtcp-fb:${payloadType} ccm fir`,
    `a=rtcp-fb:${payloadType} nack`,
    `a=rtcp-fb:${payloadType} nack pli`,
    `a=fmtp:${payloadType} ${parameters}`,
    `a=rtpmap:${payloadType + 1} rtx/90000`,
    `a=fmtp:${payloadType + 1} apt=${payloadType}`,
  ];
}

/** Writes an offer of these media, whose `m=` line comes first and whose `a=mid` are 0, 1, … */
export function offerOf(media: readonly (readonly string[])[] = [VIDEO, AUDIO]): string {
  const group = `a=group:BUNDLE ${media.map((_, index) => index).join(' ')}`;
  const session = ['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0', group];
  const lines = media.flatMap(([first = '', ...rest]) => [first, ...TRANSPORT, ...rest]);
  return `${[...session, ...lines].join('\r\n')}\r\n`;
}

export const BROWSER_OFFER = offerOf();
export const VIDEO_LINES: readonly string[] = VIDEO;
