import { expect, test } from 'vitest';
import { openInputs } from '../../cli/source-options.ts';
import { Log } from '../../io/os/log.ts';

test.each([
  [{ bitrateMax: 3_000_000 }, '--bitrate-max'],
  [{ bitrateMin: 100_000 }, '--bitrate-min'],
  [{ rate: 'auto', bitrateMax: 3_000_000 }, '--rate auto'],
] as const)('a playlist refuses %o by the name of the option that was given', async (given, name) => {
  const options = { encode: 'auto', bitrate: 2_000_000, gop: 30, ...given } as const;
  const opened = openInputs(['a.mp4', 'b.mp4'], options, new Log({ level: 'error' }));
  await expect(opened).rejects.toMatchObject({
    message: `a playlist does not follow the path: omit ${name}`,
    exitCode: 2,
  });
});
