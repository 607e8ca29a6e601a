import { Failure } from '../os/failure.ts';

/**
 * Demuxers of a single file: containers, elementary streams, raw pictures and sound. Formats that name other files (HLS, DASH,
 * ffconcat, image sequences, SDP) are excluded: a playlist called `clip.mp4` must not open its neighbors.
 */
const FILE_FORMATS = [
  ...[
    'mov',
    'matroska',
    'mpegts',
    'mpegtsraw',
    'mpeg',
    'avi',
    'flv',
    'live_flv',
    'asf',
    'asf_o',
    'mxf',
    'mxg',
    'nut',
    'ogg',
  ],
  ...[
    'rm',
    'dv',
    'gxf',
    'ivf',
    'wtv',
    'nsv',
    'vc1',
    'vc1test',
    'roq',
    'swf',
    'gif',
    'apng',
    'amv',
    'bink',
    'smk',
    'film_cpk',
  ],
  ...[
    'h261',
    'h263',
    'h264',
    'hevc',
    'vvc',
    'evc',
    'av1',
    'obu',
    'm4v',
    'mpegvideo',
    'mjpeg',
    'mjpeg_2000',
    'cavsvideo',
  ],
  ...[
    'avs',
    'avs2',
    'avs3',
    'dirac',
    'dnxhd',
    'rawvideo',
    'yuv4mpegpipe',
    'ingenient',
    'mpjpeg',
    'smjpeg',
    'dhav',
    'ifv',
  ],
  ...['mp3', 'aac', 'ac3', 'eac3', 'dts', 'truehd', 'flac', 'wav', 'w64', 'aiff', 'au', 'caf', 'ape', 'wv', 'tta'],
  ...['amr', 'tak', 'dsf', 'loas'],
];

/** Protocols that a network source may use, by URL scheme. None of them reads a local file. */
const HTTP = ['http', 'https', 'httpproxy', 'tls', 'tcp', 'crypto'];
const RTMP = ['rtmp', 'rtmps', 'rtmpt', 'rtmpe', 'rtmpts', 'rtmpte', 'ffrtmphttp', 'ffrtmpcrypt', ...HTTP];
const RTSP = ['rtsp', 'rtsps', 'rtp', 'srtp', 'udp', ...HTTP];
const NETWORK: Readonly<Record<string, readonly string[]>> = {
  http: HTTP,
  https: HTTP,
  rtmp: RTMP,
  rtmps: RTMP,
  rtmpt: RTMP,
  rtsp: RTSP,
  rtsps: RTSP,
  rtp: ['rtp', 'udp'],
  udp: ['udp'],
  tcp: ['tcp'],
  tls: ['tls', 'tcp'],
  srt: ['srt'],
};

/**
 * Returns options before `-i` that restrict ffmpeg to the named input, whatever its content: whitelists of protocols and,
 * for files, of demuxers (ffmpeg-formats, `protocol_whitelist` and `format_whitelist`).
 * @throws {Failure} for a URL whose scheme is not on the list, such as `concat:` or `subfile:`.
 */
export function inputGuard(input: string): string[] {
  return Object.entries(inputGuardOptions(input)).flatMap(([name, value]) => [`-${name}`, value]);
}

/** The same for what is written into ffmpeg's stdin: a single file of any of the formats. */
export const pipeGuard = (): string[] => ['-protocol_whitelist', 'pipe', '-format_whitelist', FILE_FORMATS.join(',')];

/** The same as options of FFmpeg's libraries, by name. */
export function inputGuardOptions(input: string): Readonly<Record<string, string>> {
  const scheme = /^([a-z][a-z0-9+.-]+)[:,]/i.exec(input)?.[1]?.toLowerCase();
  const protocols = scheme === undefined ? undefined : NETWORK[scheme];
  if (protocols !== undefined) return { protocol_whitelist: protocols.join(',') };
  if (scheme !== undefined && scheme !== 'file') {
    const known = [...Object.keys(NETWORK), 'file'].join(', ');
    throw new Failure(`${input}: ${scheme}: is not a supported source: name a file, or a URL of ${known}`, 2);
  }
  return { protocol_whitelist: 'file', format_whitelist: FILE_FORMATS.join(',') };
}
