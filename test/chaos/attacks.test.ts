import { expect } from 'vitest';
import { TUN_PATH } from '../../io/os/tun-device.ts';
import { optional } from '../optional.ts';
import { hasTun } from '../tun.ts';
import { STORY_MS, tell } from './namespaced-story.ts';

const withTun = optional(`koffi, ${TUN_PATH} and network namespaces`, await hasTun());

/** Effect of an attacker, by the receiver's account. */
interface Told {
  readonly code: number | null;
  readonly complaints: readonly string[];
  readonly sessions: number;
  readonly encrypted: boolean;
  readonly notAuthentic: number | null;
  /** Datagrams that were authentic and still not of the stream. */
  readonly foreign: number;
  readonly malformed: number;
  /** Names, messages and pieces of pictures that could be read on the path, of 65. */
  readonly read: number;
  /** Datagrams forged. */
  readonly made: number;
  readonly bytes: number;
}

const story = (name: string, security: 'encrypted' | 'plain') => tell<Told>('attack-story.ts', name, security);

withTun(
  'an attacker between two networks forges, replays, reorders and cuts all packets: no effect, nothing read',
  async () => {
    const told = await story('forge', 'encrypted');
    expect(told).toMatchObject({
      code: 0,
      complaints: [],
      sessions: 1,
      encrypted: true,
      foreign: 0,
      malformed: 0,
      read: 0,
    });
    expect(told.made).toBeGreaterThan(2_000);
    expect(told.notAuthentic).toBeGreaterThan(1_000);
    expect(told.bytes).toBeGreaterThan(500_000);
  },
  STORY_MS,
);

withTun(
  'an attacker who breaks the control connection four times only makes the receiver join again',
  async () => {
    const told = await story('break', 'encrypted');
    expect(told).toMatchObject({ code: 0, complaints: [], sessions: 5, encrypted: true, read: 0 });
  },
  STORY_MS,
);

withTun(
  'without encryption an attacker reads names and pictures, and changes each of them: docs/SECURITY.md',
  async () => {
    const told = await story('change', 'plain');
    expect(told).toMatchObject({ code: 0, sessions: 1, encrypted: false, notAuthentic: null, malformed: 0 });
    expect(told.read).toBeGreaterThan(20);
  },
  STORY_MS,
);
