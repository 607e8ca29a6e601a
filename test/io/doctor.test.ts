import { expect, test } from 'vitest';
import { examine, nodeVersion } from '../../io/doctor.ts';

test('completes every check without throwing on a machine without other programs', async () => {
  const findings = await examine({});
  const names = findings.map((finding) => finding.name);
  for (const name of [
    'Node.js',
    'ffmpeg',
    'players',
    'UDP on loopback',
    'UDP segmentation offload',
    'browsers (WHEP)',
  ]) {
    expect(names).toContain(name);
  }
  expect(findings.find((finding) => finding.name === 'UDP on loopback')).toEqual({
    name: 'UDP on loopback',
    state: 'ok',
    detail: 'a datagram sent to this machine arrives',
  });
});

test('reports a named ffmpeg that does not exist as missing, with a remedy', async () => {
  const findings = await examine({ FFMPEG_PATH: '/no/such/ffmpeg' });
  const finding = findings.find(({ name }) => name === 'ffmpeg');
  expect(finding?.state).toBe('missing');
  expect(finding?.detail).toContain('/no/such/ffmpeg');
});

test.each([
  ['20.18.3', 'missing'],
  ['18.20.0', 'missing'],
  ['20.19.0', 'ok'],
  ['22.0.0', 'ok'],
])('reports Node.js %s as %s', (version, state) => {
  expect(nodeVersion(version).state).toBe(state);
});
