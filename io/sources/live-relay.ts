import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { complaint } from '../ffmpeg/encoder.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { inputGuard } from '../ffmpeg/input-guard.ts';
import { atExit } from '../os/at-exit.ts';
import type { LiveBytes } from './live-bytes.ts';

/** Error output that is kept, characters. */
const ERRORS_MAX = 8_192;

/** Level of a line that ffmpeg writes, as `-loglevel level+…` has it. */
const LEVEL = /\[(info|warning|error|fatal)\] /;
/** Line of ffmpeg about a stream of its first input. */
const SOUND_OF_INPUT = /\bStream #0:\d.*: Audio: /;

/** Options of the ffmpeg that hands on the bytes, before and after its input. */
interface Relay {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** RTP is depacketized, and its MPEG-TS written anew without a wait for parameter sets. */
const RTP: Relay = {
  before: ['-analyzeduration', '500000'],
  after: ['-map', '0:v', '-c', 'copy', '-copyts', '-muxdelay', '0', '-muxpreload', '0', '-f', 'mpegts'],
};
/** Bytes that are a file as they are. */
const BYTES: Relay = { before: ['-f', 'data'], after: ['-map', '0', '-c', 'copy', '-f', 'data'] };
/**
 * Analysis of a session by RTSP that begins between two key frames. It ends with the description of the pictures, which most
 * session descriptions contain.
 */
const RTSP_ANALYSIS = ['-analyzeduration', '15000000', '-probesize', '50000000'];
/** Pictures of a session, packet by packet. Unlike other containers, MP4 takes B-frames without decode times, as RTP has them. */
const PICTURES = [
  ...['-map', '0:v:0', '-c', 'copy', '-video_track_timescale', '90000'],
  ...['-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-f', 'mp4'],
];
/** RTMP describes its pictures at once, but not which streams there are: ffmpeg analyzes for all of this time. */
const RTMP: Relay = { before: ['-analyzeduration', '1000000'], after: PICTURES };
/** Over UDP, cameras lose packets of key frames. */
const RTSP: Relay = {
  before: [...RTSP_ANALYSIS, '-rtsp_flags', 'prefer_tcp'],
  after: PICTURES,
};

function relayOf(url: string): Relay {
  if (/^rtp:/i.test(url)) return RTP;
  if (/^rtsps?:/i.test(url)) return RTSP;
  return /^rtmps?:/i.test(url) ? RTMP : BYTES;
}

/**
 * Opens a URL with an ffmpeg that hands on its bytes: examined and read from the same opening, a caller connects once
 * only, a camera that serves one connection is enough, and a key frame is waited for without a gap.
 */
export function relayed(url: string, { path }: Pick<Ffmpeg, 'path'>): LiveBytes {
  const { before, after } = relayOf(url);
  const levels = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'];
  const parameters = [...levels, ...inputGuard(url), ...before, '-i', url, ...after, '-flush_packets', '1', 'pipe:1'];
  const child = spawn(path, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  let hasSound = false;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (SOUND_OF_INPUT.test(line)) hasSound = true;
    const level = LEVEL.exec(line);
    // Continued lines have no level.
    if (level?.[1] !== 'error' && level?.[1] !== 'fatal') return;
    errors = `${errors}${line.replace(LEVEL, '')}\n`.slice(-ERRORS_MAX);
  });
  const stop = () => void child.kill('SIGKILL');
  const forget = atExit(stop);
  const closed = new Promise<void>((resolve) => {
    child.once('error', () => resolve()); // its output ends
    child.once('close', () => resolve());
  });
  void closed.then(forget);
  return {
    source: child.stdout,
    stop,
    leavesOutSound: () => hasSound,
    cause: async () => {
      await closed;
      return relayComplaint(errors, url);
    },
  };
}

/** Returns the cause in the error output of an ffmpeg that reads a URL; `undefined` when it complained of nothing. */
export function relayComplaint(errors: string, url: string): string | undefined {
  const [, payloadType] = /RTP payload type (\d+) without an SDP/.exec(errors) ?? [];
  if (payloadType === undefined) return complaint(errors, url);
  return (
    `its RTP has payload type ${payloadType}, whose codec only an SDP file names: send MPEG-TS (payload type 33; ffmpeg: -f rtp_mpegts), ` +
    'or play it with `dropframe receive FILE.sdp`'
  );
}
