import { expect } from 'vitest';
import { tryNamespaces } from '../../io/os/network-namespace.ts';
import { optional } from '../optional.ts';
import { STORY_MS, tell } from './namespaced-story.ts';

const withNetworks = optional('network namespaces', 'arguments' in (await tryNamespaces()));

/** Messages of a story's receiver. */
interface Told {
  readonly code: number | null;
  readonly complaints: readonly string[];
}

const story = (name: string) => tell<Told>('network-story.ts', name);

withNetworks(
  'an interface that goes down for four seconds: the receiver goes on',
  async () => {
    expect(await story('interface-down')).toMatchObject({ code: 0, transport: 'udp', complaints: [] });
  },
  STORY_MS,
);

withNetworks(
  'an address that changes: the receiver joins again from the new one',
  async () => {
    expect(await story('address-change')).toMatchObject({ code: 0, sessions: 2, complaints: [] });
  },
  STORY_MS,
);

withNetworks(
  'a path with an MTU of 576: every frame arrives',
  async () => {
    expect(await story('mtu-576')).toMatchObject({ code: 0, sessions: 1, neverArrived: 0, complaints: [] });
  },
  STORY_MS,
);

withNetworks(
  'a path that swallows everything for four seconds: the receiver goes on',
  async () => {
    expect(await story('black-hole')).toMatchObject({ code: 0, transport: 'udp', complaints: [] });
  },
  STORY_MS,
);

withNetworks(
  'a path that swallows everything from now on: the receiver ends after --timeout with one line',
  async () => {
    const { code, complaints } = await story('black-hole-for-ever');
    expect(code).toBe(1);
    expect(complaints).toEqual([expect.stringMatching(/^the stream from 10\.1\.0\.1:7000 ended after \d+ frames: /)]);
  },
);
