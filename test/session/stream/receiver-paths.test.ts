import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SecureChannel } from '../../../io/net/secure-channel.ts';
import { answerToProbe } from '../../../protocol/control/path-probe.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { protectionsOf } from '../../../session/stream/media-protection.ts';
import type { MediaAddress } from '../../../session/stream/receiver-path.ts';
import { ReceiverPaths } from '../../../session/stream/receiver-paths.ts';

const FULL = 1_200;
const SESSION = '0123456789abcdef';
const channel = { exported: () => new Uint8Array(32).fill(3) } as unknown as SecureChannel;
const wifi = { host: '127.0.0.1', port: 5_001 };
const modem = { host: '127.0.0.2', port: 5_002 };

/** Paths whose probes wait for `answer`; the modem's system refuses what is longer than `narrow`. */
function opened({ narrow = FULL } = {}) {
  const probes: { probe: Uint8Array; to: MediaAddress; onRefused: () => void }[] = [];
  const applied: number[] = [];
  const found: { bytes: number; to: MediaAddress }[] = [];
  const paths = new ReceiverPaths({
    count: 2,
    channel: undefined,
    session: SESSION,
    datagramBytesMax: FULL,
    findsMtu: true,
    sendProbe: (probe, to, onRefused) => probes.push({ probe: probe.slice(), to, onRefused }),
    onBytes: (bytes) => applied.push(bytes),
    onFound: (bytes, to) => found.push({ bytes, to }),
  });
  const answer = () => {
    for (let each = probes.shift(); each; each = probes.shift()) {
      if (each.to === modem && each.probe.length > narrow) each.onRefused();
      else paths.take(answerToProbe(each.probe)!, each.to === modem ? 1 : 0);
    }
  };
  return { paths, applied, found, answer };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a second path does not shorten datagrams while its length is searched for', () => {
  const { paths, applied, answer } = opened();
  paths.prove(wifi, 0);
  answer();
  expect(applied).toEqual([548, FULL]);
  paths.prove(modem, 1);
  answer();
  expect(applied).toEqual([548, FULL]);
  paths.close();
});

test('the shorter length of two applies while both addresses are proved, and is told with its address', () => {
  const { paths, applied, found, answer } = opened({ narrow: 800 });
  paths.prove(wifi, 0);
  answer();
  paths.prove(modem, 1);
  answer();
  const narrow = applied.at(-1)!;
  expect(narrow).toBeGreaterThan(780);
  expect(narrow).toBeLessThanOrEqual(800);
  expect(found).toEqual([{ bytes: narrow, to: modem }]);
  vi.advanceTimersByTime(5_500);
  answer();
  expect(paths.consents(1, undefined)).toBe(false);
  expect(applied.at(-1)).toBe(FULL);
  paths.close();
});

test('a copied request is accepted once by either path, and each copy of it has an index of its own', () => {
  const senders = protectionsOf(channel, SESSION, 'sender', 2);
  const receivers = protectionsOf(channel, SESSION, 'receiver', 2);
  const feedback = serializeRtcp([{ kind: 'receiver-report', ssrc: 7, reports: [] }]);
  const [wire] = receivers[0]!.protect([feedback]);
  const [copy] = receivers[1]!.protect([feedback]);
  expect(senders[0]!.unprotect(wire!)).toBeDefined();
  expect(senders[1]!.unprotect(wire!), 'a replay by the other path').toBeUndefined();
  expect(senders[1]!.unprotect(copy!)).toBeDefined();
});
