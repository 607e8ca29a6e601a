import { spawn } from 'node:child_process';
import { complaint } from '../ffmpeg/encoder.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { inputGuard } from '../ffmpeg/input-guard.ts';
import { atExit } from '../os/at-exit.ts';
import type { LiveBytes } from './live-bytes.ts';

/** Error output that is kept, characters. */
const ERRORS_MAX = 8_192;
/** RTP is depacketized, and its MPEG-TS written anew without a wait for parameter sets; other bytes stay as they are. */
const RTP_OUTPUT = ['-map', '0:v', '-c', 'copy', '-copyts', '-muxdelay', '0', '-muxpreload', '0', '-f', 'mpegts'];
const RTP_INPUT = ['-analyzeduration', '500000'];
const BYTES_OUTPUT = ['-map', '0', '-c', 'copy', '-f', 'data'];
const BYTES_INPUT = ['-f', 'data'];

/**
 * Opens a URL with an ffmpeg that hands on its bytes: examined and read from the same opening, a caller needs to connect
 * once only, and a key frame is waited for without a gap.
 */
export function relayed(url: string, { path }: Pick<Ffmpeg, 'path'>): LiveBytes {
  const isRtp = /^rtp:/i.test(url);
  const [before, after] = isRtp ? [RTP_INPUT, RTP_OUTPUT] : [BYTES_INPUT, BYTES_OUTPUT];
  const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'error'];
  const parameters = [...quiet, ...inputGuard(url), ...before, '-i', url, ...after, '-flush_packets', '1', 'pipe:1'];
  const child = spawn(path, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERRORS_MAX);
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
