import { describe, expect, test } from 'vitest';
import { makeIdentity } from '../../io/crypto/identity.ts';
import { TWO_PATH_USES } from '../../protocol/control/two-path-use.ts';
import type { StreamClientOptions } from '../../session/stream/stream-client.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';

/** Every address of 127.0.0.0/8 is one of this machine, where its system is Linux. */
const FROM = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';
const FRAMES = 200;
/** Longer than a busy test machine stalls. */
const latencyMs = 1_500;

const overTwo = (
  use: (typeof TWO_PATH_USES)[number],
  { first, second }: { first?: string; second?: string },
): Partial<StreamClientOptions> => ({
  latencyMs,
  link: first === undefined ? undefined : parseLink(first),
  second: { from: FROM, use, link: second === undefined ? undefined : parseLink(second) },
});

const identity = makeIdentity();
const protections = [
  ['in the clear', {}, {}],
  ['encrypted', { identity }, { fingerprint: identity.fingerprint }],
] as const;

describe.each(protections)('a stream over two paths, %s', (_, serving, receiving) => {
  test.each(TWO_PATH_USES)('arrives whole by both: %s', async (use) => {
    const { server, sent } = await serve(madeUpUnits(FRAMES), serving);
    const { received, client, run } = receive(server.port, { ...overTwo(use, {}), ...receiving });
    await until('both addresses are proved', () => {
      const [session] = server.status.receivers;
      return session?.paths.addressBy(0) !== undefined && session.paths.addressBy(1) !== undefined;
    });
    const { paths } = server.status.receivers[0]!;
    expect(paths.addressBy(1)).not.toEqual(paths.addressBy(0));
    expect(paths.addressBy(1)?.host).toBe(FROM);
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    // Media takes the second path after it has carried three probes, 300 ms.
    const share = paths.sent[1]! / (paths.sent[0]! + paths.sent[1]!);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.6);
    expect(client.hostFaults.notAuthentic ?? 0).toBe(0);
    expect(server.status.datagramsForeign, 'path reports without other feedback').toBe(0);
  });

  test.each(TWO_PATH_USES)('arrives whole although the first path fails for good: %s', async (use) => {
    const { server, sent } = await serve(madeUpUnits(FRAMES), serving);
    const paths = overTwo(use, { first: 'outage=1500ms-1000s' });
    const { received, client, run, notices } = receive(server.port, { ...paths, ...receiving });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    expect(client.sessionCount).toBe(1);
    expect(notices).toEqual([]);
  });

  test('arrives whole although the first path never carries anything', async () => {
    const { server, sent } = await serve(madeUpUnits(FRAMES), serving);
    const { received, run } = receive(server.port, { ...overTwo('split', { first: 'loss=100%' }), ...receiving });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    expect(received).toHaveLength(FRAMES);
  });

  test('arrives whole by the first path when the second one leads nowhere', async () => {
    const { server, sent } = await serve(madeUpUnits(FRAMES), serving);
    const { received, run } = receive(server.port, { ...overTwo('split', { second: 'loss=100%' }), ...receiving });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  });
});

test('one path remains where the second cannot be opened, with the cause', async () => {
  const { server, sent } = await serve(madeUpUnits(60));
  const second = { from: '192.0.2.1', use: 'split', link: undefined } as const;
  const { received, run, notices } = receive(server.port, { latencyMs, second });
  expect(await run).toBe('end-of-stream');
  expect(differences(received, sent)).toEqual([]);
  expect(notices).toEqual([{ withoutSecondPath: expect.stringMatching(/192\.0\.2\.1|EADDRNOTAVAIL|address/) }]);
});
