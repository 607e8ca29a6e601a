// Generates counter.mp4, counter.h264, film.mp4, small.h265, flash.mp4 and city.mp4: `npm run samples`, or some of them:
// `npm run samples -- film.mp4`. Requires ffmpeg with libx264, libx265 and drawtext (Debian's has them) and takes a few minutes. The
// files are in the repository, so this is only needed to change them.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCity } from './city/make.js';

const folder = dirname(fileURLToPath(import.meta.url));
const ffmpeg = process.env.FFMPEG_PATH || 'ffmpeg';

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 30;
const SECONDS = 12;

const size = `${WIDTH}x${HEIGHT}`;
const rate = `r=${FRAMES_PER_SECOND}`;
// Triangle wave over `span` pixels at `speed` pixels per frame, as an ffmpeg expression.
const bounce = (span, speed, start) => `abs(mod(n*${speed}+${start}\\,2*${span})-${span})`;

// Drifting color gradients, computed at low resolution and scaled up.
const backdrop = [
  `color=s=160x90:${rate}:d=${SECONDS}`,
  'format=yuv444p',
  [
    "geq=lum='84+24*sin(X/31+N/19)+20*sin(Y/17-N/27)'",
    "cb='136+22*sin(X/47-N/41+1)+12*cos(Y/23+N/33)'",
    "cr='124+22*cos(X/53+N/37)+12*sin(Y/29-N/29)'",
  ].join(':'),
  `scale=${size}:flags=bicubic`,
].join(',');

// A fine scrolling grid, which makes frozen and torn frames visible.
const grid = [
  `color=c=black:s=${WIDTH + 40}x${HEIGHT + 40}:${rate}:d=${SECONDS}`,
  'drawgrid=w=40:h=40:t=1:c=white@0.16',
  `crop=${WIDTH}:${HEIGHT}:x='mod(n\\,40)':y='mod(n/2\\,40)'`,
  'format=yuv444p',
].join(',');

// A bouncing ball, which makes uneven frame timing visible.
const ball = [
  `color=s=44x44:${rate}:d=${SECONDS}`,
  'format=rgba',
  "geq=r=255:g=196:b=92:a='255*clip(22-hypot(X-21.5,Y-21.5),0,1)'",
].join(',');

const text = (content, fontSize, place, font = 'DejaVu Sans Mono') =>
  `drawtext=font='${font}':text='${content}':fontsize=${fontSize}:fontcolor=white:${place}`;

const picture = [
  `${backdrop}[backdrop]`,
  `${grid}[grid]`,
  `${ball}[ball]`,
  "[backdrop][grid]blend=c0_expr='A+B-16':c1_expr=A:c2_expr=A[field]",
  `[field][ball]overlay=x='${bounce(WIDTH - 44, 5, 90)}':y='${bounce(HEIGHT - 44, 3, 40)}':format=yuv444,${[
    text(
      '%{eif\\:n\\:d\\:4}',
      132,
      'x=(w-tw)/2:y=(h-th)/2-8:borderw=3:bordercolor=white:shadowcolor=black@0.55:shadowx=3:shadowy=3',
    ),
    text(`%{eif\\:floor(t)\\:d\\:2}.%{eif\\:mod(n\\,${FRAMES_PER_SECOND})\\:d\\:2}`, 26, 'x=(w-tw)/2:y=h-72'),
    text('dropframe', 20, 'x=24:y=22', 'DejaVu Sans'),
    text(`${WIDTH} × ${HEIGHT} · ${FRAMES_PER_SECOND}/s`, 15, 'x=w-tw-24:y=25', 'DejaVu Sans'),
  ].join(',')},format=yuv420p[picture]`,
].join(';');

// Typical file: B-frames, a key frame every two seconds.
const mp4 = ['-c:v', 'libx264', '-preset', 'slow', '-profile:v', 'high', '-bf', '2', '-g', '60', '-b:v', '700k'];
// Typical live stream: no B-frames, one slice per picture, a key frame every second, in-band parameter sets, access unit
// delimiters and a constant bit rate. The frame rate is in the parameter sets, so the raw file plays at the right speed.
const h264 = ['-c:v', 'libx264', '-preset', 'slow', '-tune', 'zerolatency', '-profile:v', 'baseline', '-bf', '0'];
const h264More = ['-g', '30', '-keyint_min', '30', '-sc_threshold', '0', '-b:v', '900k', '-maxrate', '900k'];
const h264Parameters = ['-bufsize', '450k', '-x264-params', 'repeat-headers=1:aud=1:sliced-threads=0:slices=1'];

// Typical film: B-frames, and key frames so far apart that twelve seconds have one.
const film = ['-c:v', 'libx264', '-preset', 'slow', '-profile:v', 'high', '-bf', '2', '-g', '600', '-b:v', '600k'];

const outputs = [
  [...mp4, '-threads', '1', '-movflags', '+faststart', join(folder, 'counter.mp4')],
  [...h264, ...h264More, ...h264Parameters, '-threads', '1', '-f', 'h264', join(folder, 'counter.h264')],
  [...film, '-threads', '1', '-movflags', '+faststart', join(folder, 'film.mp4')],
];
const chosen = process.argv.slice(2);

// HEVC for tests: open groups of pictures with leading pictures, B-frames that others refer to, small.
const x265 = 'log-level=error:info=0:keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3:b-adapt=0:b-pyramid=1';
const hevc = ['-t', '2.5', '-s', '160x90', '-c:v', 'libx265', '-preset', 'slow', '-crf', '38'];
outputs.push([...hevc, '-x265-params', `${x265}:repeat-headers=1:pools=1:frame-threads=1`, join(folder, 'small.h265')]);

// A white flash and a beep of one frame at the start of each second, to measure how well sound and picture keep together.
const isOn = 'lt(mod(t\\,1)\\,0.0399)';
const flash = `color=black:s=160x90:r=25:d=6,drawbox=color=white:t=fill:enable='${isOn}',format=yuv420p[picture]`;
const beep = `aevalsrc='0.7*sin(2*PI*1000*t)*${isOn}':s=48000:d=6[sound]`;
const flashFile = join(folder, 'flash.mp4');
const h264AndAac = ['-c:v', 'libx264', '-bf', '2', '-g', '25', '-crf', '30', '-c:a', 'aac', '-b:a', '64k'];
outputs.push([...h264AndAac, '-flags:a', '+bitexact', '-threads', '1', '-movflags', '+faststart', flashFile]);
const filterOf = (output) =>
  output.at(-1) === flashFile
    ? ['-filter_complex', `${flash};${beep}`, '-map', '[picture]', '-map', '[sound]']
    : ['-filter_complex', picture, '-map', '[picture]'];

for (const output of outputs) {
  if (chosen.length > 0 && !chosen.includes(basename(output.at(-1)))) continue;
  const bitexact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-map_metadata', '-1'];
  const run = spawnSync(ffmpeg, ['-nostdin', '-y', '-v', 'error', ...filterOf(output), ...bitexact, ...output], {
    stdio: 'inherit',
  });
  if (run.error) console.error(run.error.message);
  report(output.at(-1), run.status);
}

// Drawn by a program of ours: filters have no city.
if (chosen.length === 0 || chosen.includes('city.mp4')) {
  const file = join(folder, 'city.mp4');
  report(file, await makeCity(ffmpeg, file));
}

function report(file, status) {
  if (status === 0) return console.error(`${file}: ${statSync(file).size} bytes`);
  console.error(
    `${ffmpeg} failed to write ${file}; it must support libx264, libx265 and drawtext (FFMPEG_PATH selects another ffmpeg)`,
  );
  process.exit(1);
}
