import type { LogFields } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { PlayerSession } from '../session/player/player-session.ts';
import type { PlayerTotals } from '../session/player/player-totals.ts';
import type { ServerSecurity } from '../session/stream/server-security.ts';
import type { StreamServerTotals } from '../session/stream/server-totals.ts';
import type { FollowedState, StreamServer, StreamServerStatus } from '../session/stream/stream-server.ts';
import { countPart, positionText, rateText, type Status } from './status-text.ts';

/** The source's reaction to a change of the path, as one line. */
export function howText({ description, adaptive }: MediaSource): string {
  if (adaptive === undefined) {
    const thins = 'frames that exceed the capacity of the path are dropped';
    if (description.width === 0) return `sound alone, ${description.mode === 'copy' ? 'copied' : 'encoded as Opus'}`;
    return description.mode === 'copy' ? `copied; ${thins}` : `encoding with x264 at a fixed bit rate; ${thins}`;
  }
  const { bitrateMin, bitrateMax, state } = adaptive;
  const range = `${rateText(bitrateMin)} to ${rateText(bitrateMax)}`;
  if (state.renditions !== undefined) {
    const made = `encoding ${state.renditions} renditions with x264 ${state.preset} by ffmpeg`;
    return `${made}, up to ${description.width}×${description.height}; follows the path from ${range}, at key frames`;
  }
  return `encoding with x264 ${state.preset}, ${state.width}×${state.height}, follows the path from ${range}`;
}

const LOCAL_ONLY = 'not encrypted: only programs on this machine can connect';

/**
 * Returns the protection of the addresses of a sender.
 * @param players addresses for players and browsers, which have a protection of their own.
 */
export function encryptionText({ identity, passphrase }: ServerSecurity, players: readonly string[] = []): string {
  const proof =
    passphrase === undefined ? 'receivers use this URL, fingerprint included' : 'receivers need the passphrase';
  const own = identity ? `encrypted with TLS 1.3 and SRTP: ${proof}` : LOCAL_ONLY;
  const schemes = [...new Set(players.map((url) => url.slice(0, url.indexOf('://') + 3)))];
  const encrypted = schemes.filter((scheme) => /^(?:rtsps|https):/.test(scheme));
  const open = schemes.filter((scheme) => !encrypted.includes(scheme));
  // One sentence where all addresses are alike.
  if (identity ? open.length === 0 : encrypted.length === 0) return own;
  const others = [
    ...(encrypted.length > 0 ? [`${encrypted.join(' and ')} encrypted with TLS`] : []),
    ...(open.length > 0 ? [`${open.join(' and ')} ${LOCAL_ONLY}`] : []),
  ];
  return [`dropframe:// ${own}`, ...others].join('; ');
}

export function totalsText(
  totals: StreamServerTotals,
  status: StreamServerStatus,
  players: Readonly<Record<string, PlayerTotals | undefined>>,
): string {
  const { receivers, frames, packets, bytes, retransmissions } = totals;
  const refused = `${status.connectionsRefused} connections and ${status.datagramsForeign} datagrams`;
  const unsent =
    totals.refused > 0 ? `\n  unsent   ${totals.refused} datagrams, which the operating system refused to send` : '';
  const rates = followedText(totals);
  const watched = Object.entries(players)
    .map(([protocol, own]) => (own && own.players > 0 ? `${playersText(protocol, own)}\n` : ''))
    .join('');
  return (
    `  served   ${receivers} receiver${receivers === 1 ? '' : 's'}: ${frames} frames in ${packets} packets ` +
    `(${(bytes / 1e6).toFixed(2)} MB), ${retransmissions} retransmissions\n${watched}${rates}  refused  ${refused}${unsent}`
  );
}

/** `RTSP     1 player: …`. */
function playersText(protocol: string, { players, frames, packets, bytes }: PlayerTotals): string {
  const sent = `${frames} frames in ${packets} packets (${(bytes / 1e6).toFixed(2)} MB)`;
  return `  ${protocol}     ${players} player${players === 1 ? '' : 's'}: ${sent}`;
}

/** Mean rates of a source that followed; empty for any other. */
function followedText({ meanTarget, followedSeconds, sentBytes, deliveredBytes }: StreamServerTotals): string {
  if (meanTarget === undefined) return '';
  const mean = (bytes: number): string => rateText((bytes * 8) / followedSeconds);
  const rates = `target ${rateText(meanTarget)}, sent ${mean(sentBytes)}, delivered ${mean(deliveredBytes)}`;
  return `  rate     ${rates} on average\n`;
}

/** `target 1.20 Mb/s, sent 1.31 Mb/s, delivered 1.30 Mb/s, path 1.40 Mb/s, 1280×720`. */
function adaptiveText({ path, rates, bitrate, width, height }: FollowedState): string {
  const parts = [`target ${rateText(bitrate)}`];
  if (rates) parts.push(`sent ${rateText(rates.sent)}`, `delivered ${rateText(rates.delivered)}`);
  if (path !== undefined) parts.push(`path ${rateText(path)}`);
  return [...parts, `${width}×${height}`].join(', ');
}

/** The same for `--json`, bits per second. */
export function rateFields({ adaptive }: StreamServerStatus): LogFields {
  if (!adaptive) return {};
  const { path, rates, bitrate, width, height } = adaptive;
  const whole = (rate: number | undefined): number | null => (rate === undefined ? null : Math.round(rate));
  const [sent, delivered] = [whole(rates?.sent), whole(rates?.delivered)];
  return { target: Math.round(bitrate), sent, delivered, path: whole(path), width, height };
}

export function statusOf(
  server: StreamServer,
  served: Readonly<Record<string, readonly PlayerSession[]>>,
  of: number | undefined,
): Status | undefined {
  const players = Object.values(served).flat();
  const { receivers, positionSeconds, adaptive } = server.status;
  if (receivers.length + players.length === 0) return undefined;
  const sent = [...receivers.map(({ statistics }) => statistics.frames), ...players.map(({ totals }) => totals.frames)];
  const frames = Math.max(...sent);
  const resent = receivers.reduce((sum, receiver) => sum + receiver.statistics.retransmissions, 0);
  const hostDrops = receivers.reduce((sum, receiver) => sum + (receiver.reported?.hostDrops ?? 0), 0);
  const lost = receivers.reduce((sum, receiver) => sum + (receiver.reported?.framesLost ?? 0), 0);
  return [
    ...(positionSeconds === undefined ? [] : [positionText({ seconds: positionSeconds, of })]),
    `${receivers.length} receiver${receivers.length === 1 ? '' : 's'}`,
    ...Object.entries(served).flatMap(([protocol, { length }]) => (length > 0 ? [`${length} by ${protocol}`] : [])),
    ...(adaptive ? [adaptiveText(adaptive)] : []),
    countPart(lost, `${lost} reported lost`, 'bad'),
    ...(hostDrops > 0 ? [countPart(hostDrops, `${hostDrops} dropped by receivers' computers`, 'bad')] : []),
    `${resent} retransmissions`,
    `${frames} frames sent`,
  ];
}
