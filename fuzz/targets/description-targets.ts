import { complaint } from '../../io/ffmpeg/encoder.ts';
import { readFirstPicture, readProbe } from '../../io/ffmpeg/ffmpeg-probe.ts';
import { parseAdts } from '../../protocol/codec/aac/adts.ts';
import { CODEC_NAMES, type CodecName, codecByName, VIDEO_CODEC_NAMES } from '../../protocol/codec/codecs.ts';
import { frameStreamOf } from '../../protocol/codec/frame-streams.ts';
import { hasNalUnits, nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import { parseOpusHead, serializeOpusHead } from '../../protocol/codec/opus/opus-head.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { textTarget } from './text-target.ts';

const VIDEO = [
  ...['m=video 5004 RTP/AVPF 96 97', 'c=IN IP4 192.0.2.1', 'a=rtpmap:96 H264/90000', 'a=rtcp-fb:96 nack pli'],
  'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtoCgPbARAAAAwAEAAADAPA8WLqA,aM4PLIA=',
  ...['a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96;rtx-time=1000', 'a=rtcp:5005', 'a=ssrc:1 cname:x'],
];
const described = (...media: readonly string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=film', 't=0 0', ...media, ''].join('\r\n');

/** Session descriptions of other programs, read for each codec. */
export const sdpTarget = textTarget({
  name: 'sdp',
  seeds: [
    described('m=audio 5006 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2', ...VIDEO),
    described(...VIDEO, 'm=audio 5006 RTP/AVP 97', 'a=rtpmap:97 mpeg4-generic/44100/2', 'a=rtcp-mux').replace(
      'a=rtcp-mux',
      'a=fmtp:97 streamtype=5;mode=AAC-hbr;config=1210;sizelength=13;indexlength=3;indexdeltalength=3',
    ),
    described(
      'm=video 5004 RTP/AVP 98',
      'a=rtpmap:98 H265/90000',
      'a=fmtp:98 sprop-vps=QAEMAf//;sprop-sps=QgEB;sprop-pps=RAHA',
    ),
    described('m=video 5004 RTP/AVP 99', 'c=IN IP6 ::1', 'a=rtpmap:99 VP9/90000', 'a=fmtp:99 profile-id=0'),
    described(
      'm=video 5004 RTP/AVP 45',
      'c=IN IP4 127.0.0.1',
      'a=rtpmap:45 AV1/90000',
      'a=fmtp:45 profile=0;level-idx=5',
    ),
    'v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
  ],
  read: (text, observed) => {
    for (const name of CODEC_NAMES) {
      const codec = codecByName(name);
      const read = parseSessionDescription(text, codec);
      observed.reason(`${name} ${read.ok ? Object.keys(read.value).join() : read.malformed}`);
      if (!read.ok) continue;
      const { port, rtcpPort, payloadType, clockRate, parameterSets, retransmission } = read.value;
      hold(port >= 1 && port <= 65_535 && rtcpPort >= 1 && rtcpPort <= 65_536, 'ports are those of UDP');
      hold(payloadType >= 0 && payloadType <= 127, 'a payload type has seven bits');
      hold(Number.isSafeInteger(clockRate) && clockRate > 0, 'a clock runs');
      hold((retransmission?.payloadType ?? 0) <= 127, 'a payload type of retransmissions has seven bits');
      describeSets(name, parameterSets, observed);
    }
  },
});

/** Describes parameter sets of a peer as a receiver does. */
function describeSets(name: CodecName, sets: readonly Uint8Array[], observed: Observed): void {
  const codec = codecByName(name);
  const picture = codec.mediaType === 'video' ? codec.describe(sets) : undefined;
  const sound = codec.sound?.describe(sets);
  observed.see(`${name}:${picture !== undefined} ${sound !== undefined}`);
  if (picture) hold(picture.width >= 1 && picture.height >= 1, 'a picture has a size');
  if (sound) hold(sound.sampleRate > 0 && sound.channels > 0, 'sound has a rate and channels');
  codec.reorders?.(sets);
  codec.exceedsBaseFormat?.(sets);
  codec.session?.formatParameters(sets);
  codec.transportStream?.descriptors?.(sets);
  codec.matroska?.codecPrivate(sets);
  const own = codec.mp4?.configuration(sets);
  if (own && hasNalUnits(codec)) hold(nalStreamOf(codec).parseConfiguration(own).ok, 'our own configuration is read');
}

const CONFIGURATIONS = [
  // avcC, hvcC, av1C, OpusHead, an AudioSpecificConfig, an ADTS header.
  '0142c01effe1001867 42c01eda0280f6c0440000030004000003 00f03c58ba80 01000468ce0f2c80',
  '010160000000b0000000000078f000fcfdf8f800000f032000010018400 10c01ffff01600000030090000003000003 0078ba024021000100024201',
  '81050c000a0b00000024cf7f0dbff300 08',
  '4f707573486561640102380180bb000000000000',
  '1210',
  'fff15080037ffc',
] as const;

/** Decoder configurations of containers: the byte in `choices` is not used, as each is read as all kinds. */
export const configurationTarget: FuzzTarget = {
  name: 'configurations',
  seeds: () =>
    CONFIGURATIONS.map((text): FuzzInput => {
      const bytes = Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
      return { choices: 0, steps: [{ pause: 0, bytes }] };
    }),
  mutate: mutateBytes,
  run: ({ steps }, observed) => {
    const bytes = steps[0]?.bytes ?? new Uint8Array(0);
    for (const name of VIDEO_CODEC_NAMES) {
      const codec = codecByName(name);
      if (!hasNalUnits(codec)) {
        describeSets(name, frameStreamOf(codec)!.parameterSetsOf(bytes), observed);
        continue;
      }
      const format = nalStreamOf(codec);
      const read = format.parseConfiguration(bytes);
      observed.reason(`${name} ${read.ok ? 'read' : read.malformed}`);
      if (!read.ok) continue;
      hold([1, 2, 4].includes(read.value.lengthSize), 'a length has 1, 2 or 4 bytes');
      describeSets(name, read.value.parameterSets, observed);
      for (const set of read.value.parameterSets) signalled(name, set, observed);
    }
    for (const name of ['aac', 'opus'] as const) describeSets(name, [bytes], observed);
    const head = parseOpusHead(bytes);
    if (head) hold(parseOpusHead(serializeOpusHead(head)) !== undefined, 'a head that was written is read');
    const adts = parseAdts(bytes);
    observed.see(`adts:${adts !== undefined} opus:${head !== undefined}`);
  },
};

/** Writes shape and colors into a sequence parameter set, as for pictures whose container alone has them. */
function signalled(name: CodecName, set: Uint8Array, observed: Observed): void {
  const codec = codecByName(name);
  const format = nalStreamOf(codec);
  const before = format.isSequenceParameterSet(set) ? sizeIn(name, set) : undefined;
  if (before === undefined) return;
  const color = { primaries: 9, transfer: 16, matrix: 9 };
  const after = sizeIn(
    name,
    format.withSignal(set, { sampleAspect: { width: 4, height: 3 }, color, isFullRange: true }),
  );
  observed.see(`signalled ${after === before}`);
  hold(after === before, 'a parameter set that says more describes the same pictures');
}

function sizeIn(name: CodecName, set: Uint8Array): string | undefined {
  const found = codecByName(name).describe([set]);
  return found && `${found.width}×${found.height}`;
}

/** Output of ffmpeg about a file of a stranger, whose title and metadata are in it. */
export const probeTarget = textTarget({
  name: 'probe',
  seeds: [
    [
      "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'clip.mp4':",
      '  Metadata:',
      '    title           : a film',
      '  Duration: 00:00:10.02, start: 0.023222, bitrate: 1528 kb/s',
      '  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 1280x720, 60 fps, 60 tbr, 15360 tbn (default)',
      '    Side data:',
      '      displaymatrix: rotation of -90.00 degrees',
      '  Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 128 kb/s (default)',
      '  Stream #0:2: Video: mjpeg, yuvj420p(pc), 320x240, 90k tbr, 90k tbn (attached pic)',
      'At least one output file must be specified',
    ].join('\n'),
    'clip.mp4: Invalid data found when processing input',
    '#tb 0: 1/90000\n#media_type 0: video\n0,     135000,     138600,     3600,    51230, 0x1f2e3d4c\n',
  ],
  read: (text, observed) => {
    const { video, sound, durationSeconds, complaint: cause } = readProbe(text, 'clip.mp4');
    observed.see(`${video?.codec.slice(0, 10)} ${video?.rotation} ${sound.length > 0} ${cause !== undefined}`);
    hold(!cause?.includes('\n'), 'a complaint is one line');
    hold(!complaint(text, 'clip.mp4')?.includes('\n'), 'a complaint of the encoder is one line');
    hold(durationSeconds === undefined || durationSeconds >= 0, 'a duration is not negative');
    const rate = video?.framesPerSecond;
    hold(rate === undefined || rate > 0, 'a frame rate is above zero');
    observed.see(`first ${readFirstPicture(text) !== undefined}`);
  },
});
