import { bracketed } from '../../io/net/control-server.ts';
import { Failure } from '../../io/os/failure.ts';
import { type LiveInput, streamedInput } from '../../io/sources/live-input.ts';
import { resolveRtpAddress } from '../rtp/rtp-address.ts';
import { parseRistAddress } from './rist-address.ts';
import { RistFeed } from './rist-feed.ts';

/** Time for retransmissions, milliseconds: that of librist. */
const BUFFER_MS_DEFAULT = 1_000;
/** Silence after which a sender counts as gone, milliseconds: another one may follow. */
const GONE_MS = 5_000;

/**
 * Returns a stream by RIST as a live source, and its name. @throws {Failure} for a malformed URL, or an address that is not
 * one of this machine.
 */
export async function ristInput(url: string): Promise<{ readonly name: string; readonly live: LiveInput }> {
  const place = parseRistAddress(url, 'receive');
  if (typeof place === 'string') throw new Failure(`${url}: ${place}`, 2);
  const { port, bufferMs: latencyMs = BUFFER_MS_DEFAULT } = place;
  const { address: host } = await resolveRtpAddress(url, place.host, 'receive');
  const open = async () => await RistFeed.open({ host, port, latencyMs, requests: true, goneMs: GONE_MS });
  return { name: `rist://${bracketed(place.host)}:${port}`, live: streamedInput(open) };
}
