import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { tryNamespaces } from '../../io/os/network-namespace.ts';
import { optional } from '../optional.ts';
import { ROOT } from './stage.ts';

const namespaces = await tryNamespaces();
const withNetworks = optional('network namespaces', 'arguments' in namespaces);

interface Told {
  readonly code: number | null;
  readonly sessions: number;
  readonly transport: string;
  readonly neverArrived: number;
  readonly complaints: readonly string[];
}

/** Tells a story of `network-story.ts` in namespaces of its own. */
async function tell(name: string): Promise<Told> {
  const arguments_ = 'arguments' in namespaces ? namespaces.arguments : [];
  const script = join(import.meta.dirname, 'network-story.ts');
  const words = [...arguments_, '--', process.execPath, '--import', 'tsx', script, name];
  const { stdout } = await promisify(execFile)('unshare', words, { cwd: ROOT });
  return JSON.parse(stdout) as Told;
}

withNetworks('an interface that goes down for four seconds: the receiver goes on', async () => {
  expect(await tell('interface-down')).toMatchObject({ code: 0, transport: 'udp', complaints: [] });
});

withNetworks('an address that changes: the receiver joins again from the new one', async () => {
  expect(await tell('address-change')).toMatchObject({ code: 0, sessions: 2, complaints: [] });
});

withNetworks('a path with an MTU of 576: every frame arrives', async () => {
  expect(await tell('mtu-576')).toMatchObject({ code: 0, sessions: 1, neverArrived: 0, complaints: [] });
});

withNetworks('a path that swallows everything for four seconds: the receiver goes on', async () => {
  expect(await tell('black-hole')).toMatchObject({ code: 0, transport: 'udp', complaints: [] });
});

withNetworks(
  'a path that swallows everything from now on: the receiver ends after --timeout with one line',
  async () => {
    const { code, complaints } = await tell('black-hole-for-ever');
    expect(code).toBe(1);
    expect(complaints).toEqual([expect.stringMatching(/^the stream from 10\.1\.0\.1:7000 ended after \d+ frames: /)]);
  },
);
