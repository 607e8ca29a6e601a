import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import { CLOCK_RATE } from '../protocol/base/units.ts';
import { CODEC_NAMES, type CodecName, codecByName, VIDEO_CODEC_NAMES } from '../protocol/codec/codecs.ts';
import { parseSessionDescription } from '../protocol/sdp.ts';
import type { Recovery } from '../receiver/receiver-options.ts';
import { parseRistAddress, type RistAddress } from '../session/rist/rist-address.ts';
import type { DescribedSound } from '../session/rtp/rtp-sound.ts';
import { PORT_DEFAULT, readTarget } from './options.ts';

/** Origin of a stream: a dropframe sender, or plain RTP or RIST sent to an address of this machine. */
export type ReceiveTarget =
  | (HostAndPort & { readonly kind: 'dropframe' })
  | (RistAddress & { readonly kind: 'rist' })
  | (HostAndPort & {
      readonly kind: 'rtp';
      readonly codecName: CodecName;
      readonly payloadType: number | undefined;
      readonly parameterSets: readonly Uint8Array[];
      readonly feedback: TargetFeedback;
      /** Sound beside the pictures; `undefined`: none. */
      readonly sound?: DescribedSound | undefined;
      /** Sound that cannot be received, one line; `undefined`: none. */
      readonly refusedSound?: string | undefined;
    });

/** Feedback of a receiver of plain RTP. */
export interface TargetFeedback {
  /** Port of RTCP; `undefined`: the next one. */
  readonly rtcpPort?: number;
  /** True when missing packets are requested. */
  readonly requests: boolean;
  /** True when key frames are. */
  readonly keyFrames: boolean;
  readonly retransmissionPayloadType?: number | undefined;
}

/**
 * Parses `dropframe://HOST:PORT`, `HOST:PORT`, `HOST`, `rtp://HOST:PORT`, `rist://@HOST:PORT`, or the name of an SDP file. Options of the
 * connection in the URL are set on the command, unless the command line gives them too.
 * @throws {Failure} for a malformed target or an unreadable file.
 */
export async function receiveTarget(text: string, command: Command): Promise<ReceiveTarget> {
  try {
    if (text.startsWith('rtp://')) {
      const { query, ...address } = readTarget(text, 'rtp');
      setOptions(query, command);
      return {
        kind: 'rtp',
        ...address,
        codecName: 'h264',
        payloadType: undefined,
        parameterSets: [],
        feedback: ASKING,
      };
    }
    if (/^rist:/i.test(text)) {
      const place = parseRistAddress(text, 'receive');
      if (typeof place === 'string') throw new InvalidArgumentError(place);
      return { kind: 'rist', ...place };
    }
    if (/\.sdp$/i.test(text)) return await sdpTarget(text);
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
    if (scheme !== undefined && scheme !== 'dropframe') throw new InvalidArgumentError(foreignScheme(scheme));
    if (scheme === undefined && existsSync(text)) {
      throw new InvalidArgumentError(
        `this is a file; \`dropframe send\` streams it, and receive joins that. ${EXPECTED}`,
      );
    }
    const { query, ...address } = readTarget(scheme === undefined ? `dropframe://${text}` : text, 'dropframe');
    setOptions(query, command);
    return { kind: 'dropframe', ...address };
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new Failure(`${text}: ${error.message}`, 2);
    throw error;
  }
}

/** Plain RTP and RIST have requests, if the sender takes them or they are asked for, and no repair packets of ours. */
export function recoveryOf(target: ReceiveTarget, recovery: Recovery, isGiven: boolean): Recovery {
  if (target.kind === 'dropframe' || recovery === 'none' || recovery === 'reorder') return recovery;
  return target.kind === 'rist' || target.feedback.requests || isGiven ? 'nack' : 'reorder';
}

/** The buffer in a URL of RIST is the latency, unless that is given. */
export const latencyOf = (target: ReceiveTarget, latencyMs: number, isGiven: boolean): number =>
  target.kind === 'rist' && !isGiven ? (target.bufferMs ?? latencyMs) : latencyMs;

/** Without a session description, the sender is asked for what it may know. */
const ASKING: TargetFeedback = { requests: true, keyFrames: true };

/**
 * Options that a URL may set: those of the connection and of the delay. A URL comes from others, so it opens no ports, reads
 * and writes no files, starts no programs, and names no other hosts.
 */
const URL_OPTIONS: ReadonlySet<string> = new Set([
  'latency',
  'transport',
  'recovery',
  'redundancy',
  'release',
  'on-loss',
  'mend',
  'congestion',
  'timeout',
  'no-audio',
  'fingerprint',
  'passphrase',
]);

function setOptions(query: URLSearchParams, command: Command): void {
  for (const [name, value] of query) {
    const option = command.options.find((candidate) => candidate.long === `--${name}`);
    if (!option) throw new InvalidArgumentError(`'${name}' is not an option of receive`);
    if (!URL_OPTIONS.has(name)) {
      throw new InvalidArgumentError(`'${name}' cannot be set by a URL: give --${name} on the command line`);
    }
    const key = option.attributeName();
    if (command.getOptionValueSource(key) === 'cli') continue;
    if (!option.required) command.setOptionValueWithSource(key, option.negate === (value === 'false'), 'cli');
    else {
      if (option.argChoices && !option.argChoices.includes(value)) {
        throw new InvalidArgumentError(`${name}=${value}: choose from ${option.argChoices.join(', ')}`);
      }
      command.setOptionValueWithSource(key, option.parseArg ? option.parseArg(value, undefined) : value, 'cli');
    }
  }
}

const EXPECTED = `Expected dropframe://HOST:PORT (or HOST:PORT, or HOST with port ${PORT_DEFAULT}), rtp://HOST:PORT, rist://@HOST:PORT or FILE.sdp`;

/** Names the supported targets in place of another protocol. */
function foreignScheme(scheme: string): string {
  const bridge = BRIDGED.has(scheme.toLowerCase())
    ? ` ffmpeg reads ${scheme}:// and can forward it: \`ffmpeg -i URL -c copy -an -f rtp rtp://127.0.0.1:5004\` beside ` +
      '`dropframe receive rtp://127.0.0.1:5004`.'
    : '';
  return `${scheme}:// is not supported.${bridge} ${EXPECTED}`;
}

/** Protocols of cameras and servers that ffmpeg reads. */
const BRIDGED: ReadonlySet<string> = new Set(['rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt', 'udp', 'http', 'https', 'tcp']);

/** Messages for the faults of a session description. */
const SDP_CAUSES: Readonly<Record<string, string>> = {
  'not-sdp': 'not an SDP file: no line reads v=0',
  'sdp-too-long': 'too long for an SDP file',
  'sdp-no-h264-stream': 'no m=video section has an a=rtpmap line with H264, H265, VP9 or AV1',
  'sdp-no-address': 'no c= line gives the destination address',
  'sdp-port': 'the port in the m=video line is not from 1 to 65535',
  'sdp-encrypted': 'the m= line names an encrypted profile (SAVP); plain RTP is read only: RTP/AVP or RTP/AVPF',
  'sdp-parameter-sets': 'sprop-parameter-sets (or sprop-vps, -sps, -pps) in the a=fmtp line is not base64',
};

async function sdpTarget(file: string): Promise<ReceiveTarget> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`cannot read ${file}: ${causeOf(error)}`);
  });
  const descriptions = VIDEO_CODEC_NAMES.map((codecName) => ({
    codecName,
    description: parseSessionDescription(text, codecByName(codecName)),
  }));
  // A fault of a stream of a known codec says more than that the other codec is not there.
  const isFor = ({ codecName, description: read }: (typeof descriptions)[number]) =>
    read.ok || read.malformed !== `sdp-no-${codecName}-stream`;
  const { codecName, description } = descriptions.find(isFor) ?? descriptions[0]!;
  if (!description.ok) throw new Failure(`${file}: ${SDP_CAUSES[description.malformed] ?? description.malformed}`);
  const { host, port, payloadType, parameterSets, clockRate } = description.value;
  if (clockRate !== CLOCK_RATE) {
    throw new Failure(
      `${file}: the a=rtpmap line gives a clock rate of ${clockRate} Hz; ${codecName.toUpperCase()} requires ${CLOCK_RATE} Hz`,
    );
  }
  const { rtcpPort, feedback, retransmission } = description.value;
  return {
    kind: 'rtp',
    host,
    port,
    codecName,
    payloadType,
    parameterSets,
    feedback: {
      rtcpPort,
      requests: feedback.nack || retransmission !== undefined,
      keyFrames: feedback.pictureLoss,
      retransmissionPayloadType: retransmission?.payloadType,
    },
    ...soundTarget(file, text),
  };
}

/** Messages for the faults of sound whose codec is known. */
const SOUND_CAUSES: Readonly<Record<string, string>> = {
  'sdp-no-address': SDP_CAUSES['sdp-no-address']!,
  'sdp-port': 'the port in the m=audio line is not from 1 to 65535',
  'sdp-encrypted': SDP_CAUSES['sdp-encrypted']!,
};

const SOUND_CODEC_NAMES = CODEC_NAMES.filter((name) => codecByName(name).mediaType === 'audio');

/** The first stream of sound that can be received, or why the sound cannot. */
function soundTarget(file: string, text: string): Pick<ReceiveTarget & { kind: 'rtp' }, 'sound' | 'refusedSound'> {
  for (const codecName of SOUND_CODEC_NAMES) {
    const found = parseSessionDescription(text, codecByName(codecName));
    if (!found.ok) continue;
    const { host, port, rtcpPort, payloadType, clockRate, parameterSets, feedback, retransmission } = found.value;
    const requests = feedback.nack || retransmission !== undefined;
    const sound = { codecName, clockRate, host, port, rtcpPort, payloadType, parameterSets, requests };
    return { sound: { ...sound, retransmissionPayloadType: retransmission?.payloadType } };
  }
  const [section] = /^m=audio .*(?:(?:\r\n|\r|\n)(?!m=).*)*/m.exec(text) ?? [];
  if (section === undefined) return {};
  for (const codecName of SOUND_CODEC_NAMES) {
    const codec = codecByName(codecName);
    const read = parseSessionDescription(text, codec);
    const cause = read.ok ? undefined : SOUND_CAUSES[read.malformed];
    if (cause !== undefined) return refused(codec.session?.encodingName, cause);
  }
  const encoding = /^a=rtpmap:\d+ ([\w.-]+)/m.exec(section)?.[1];
  return refused(encoding, 'only Opus, and AAC in the mode AAC-hbr with a config, are');

  function refused(encoding: string | undefined, cause: string): { readonly refusedSound: string } {
    const what = encoding === undefined ? 'its sound' : `its sound (${encoding})`;
    return { refusedSound: `${file}: ${what} is not received: ${cause}` };
  }
}
