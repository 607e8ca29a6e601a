import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { platform } from 'node:process';
import { expect, test } from 'vitest';
import { type FfmpegSearch, knowsFrameRateMode, locateFfmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import { temporaryFolder } from '../sources/media.ts';

/** The substitutes are shell scripts. */
const testOnUnix = test.skipIf(platform === 'win32');

function standIn(
  folder: string,
  { version = '7.1', encoders = ' V....D libx264 H.264', exit = 0, name = 'ffmpeg' } = {},
) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const script = `#!/bin/sh\ncase "$*" in *-encoders*) echo "${encoders}";; *) echo "ffmpeg version ${version} Copyright";; esac\nexit ${exit}\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

const nowhere: FfmpegSearch = { environment: {}, wellKnownFolders: [], packageBinary: () => undefined };

testOnUnix('prefers the binary of ffmpeg-static to the one on the PATH', async () => {
  const folder = temporaryFolder();
  const packaged = standIn(join(folder, 'package'), { version: '6.0-static' });
  standIn(join(folder, 'path'));
  const found = await locateFfmpeg({
    ...nowhere,
    environment: { PATH: join(folder, 'path') },
    packageBinary: (name) => (name === 'ffmpeg-static' ? packaged : undefined),
  });
  expect(found).toMatchObject({ path: packaged, origin: 'ffmpeg-static', version: '6.0-static', libx264: true });
  expect(found.warnings).toEqual([]);
});

testOnUnix('skips a package that names a missing file', async () => {
  const folder = temporaryFolder();
  const path = standIn(join(folder, 'path'));
  const found = await locateFfmpeg({
    ...nowhere,
    environment: { PATH: [join(folder, 'empty'), join(folder, 'path')].join(delimiter) },
    packageBinary: () => join(folder, 'not-there'),
  });
  expect(found).toMatchObject({ path, origin: 'PATH' });
});

testOnUnix('uses the binary named by the user before any other', async () => {
  const folder = temporaryFolder();
  const [first, second, third] = ['a', 'b', 'c'].map((name) => standIn(join(folder, name)));
  const environment = { FFMPEG_PATH: second, FFMPEG_BIN: third, PATH: join(folder, 'a') };
  expect(await locateFfmpeg({ ...nowhere, explicit: first, environment })).toMatchObject({
    path: first,
    origin: '--ffmpeg',
  });
  expect(await locateFfmpeg({ ...nowhere, environment })).toMatchObject({ path: second, origin: 'FFMPEG_PATH' });
  expect(await locateFfmpeg({ ...nowhere, environment: { FFMPEG_BIN: third } })).toMatchObject({
    origin: 'FFMPEG_BIN',
  });
});

testOnUnix('fails for an unusable binary named by the user instead of replacing it', async () => {
  const folder = temporaryFolder();
  standIn(join(folder, 'path'));
  const environment = { FFMPEG_BIN: join(folder, 'typo'), PATH: join(folder, 'path') };
  await expect(locateFfmpeg({ ...nowhere, environment })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^FFMPEG_BIN names .*typo, which is not an executable file: /),
  });
});

testOnUnix('looks up a bare name on the PATH', async () => {
  const folder = temporaryFolder();
  const path = standIn(folder, { name: 'ffmpeg7' });
  expect(await locateFfmpeg({ ...nowhere, explicit: 'ffmpeg7', environment: { PATH: folder } })).toMatchObject({
    path,
  });
});

testOnUnix('skips a broken binary with a warning', async () => {
  const folder = temporaryFolder();
  standIn(join(folder, 'path'), { exit: 1 });
  const path = standIn(join(folder, 'well-known'));
  const found = await locateFfmpeg({
    ...nowhere,
    environment: { PATH: join(folder, 'path') },
    wellKnownFolders: [join(folder, 'well-known')],
  });
  expect(found).toMatchObject({ path, origin: 'well-known place' });
  expect(found.warnings).toEqual([expect.stringContaining('does not run')]);
});

testOnUnix('prefers a binary with libx264', async () => {
  const folder = temporaryFolder();
  standIn(join(folder, 'path'), { encoders: ' V....D h264_v4l2m2m' });
  const path = standIn(join(folder, 'well-known'));
  const environment = { PATH: join(folder, 'path') };
  const wellKnownFolders = [join(folder, 'well-known')];
  expect(await locateFfmpeg({ ...nowhere, environment, wellKnownFolders })).toMatchObject({ path, libx264: true });
  const alone = await locateFfmpeg({ ...nowhere, environment });
  expect(alone.libx264).toBe(false);
  expect(alone.warnings).toEqual([expect.stringContaining('no libx264')]);
});

test('explains how to install ffmpeg when there is none', async () => {
  await expect(locateFfmpeg(nowhere)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^no ffmpeg found: run `.*install.*ffmpeg.*FFMPEG_PATH=/i),
  });
});

test.each([
  ['5.1.9-0+deb12u1', true],
  ['5.0.3', false],
  ['4.4.2-0ubuntu0.22.04.1', false],
  ['7.0.2-static', true],
  ['n6.0', true],
  ['9.0.2', true],
  ['10.0', true],
  ['N-47683-g0e8eb07980-static', false],
  ['N-113007-g8d24a28d06-tessus', true],
  ['2024-01-01-git-e1c1dc8347-full_build', true],
])('knows that -fps_mode in ffmpeg %s is %s', (version, known) => {
  expect(knowsFrameRateMode(version)).toBe(known);
});

testOnUnix('an ffmpeg that does not answer in time is reported as slow, not as broken', async () => {
  const path = standIn(temporaryFolder());
  writeFileSync(path, '#!/bin/sh\nexec sleep 60\n');
  const search = { ...nowhere, explicit: path, patienceMs: 100 };
  await expect(locateFfmpeg(search)).rejects.toThrow(
    `${path}, which does not answer (timeout: no answer within 0.1 s)`,
  );
});
