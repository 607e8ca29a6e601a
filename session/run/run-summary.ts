import type { Microseconds } from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES, IPV6_HEADER_BYTES, UDP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { PageStatistics } from '../../protocol/page/page-message.ts';
import type { Recovery } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import type {
  AnnouncedMedia,
  ClientSessionCause,
  HostFaults,
  ModeledTcpRecord,
  SoundRecord,
} from '../stream/client.ts';
import {
  type FrameSummary,
  lateIn,
  lostIn,
  type PacketSummary,
  recoveredIn,
  sumFrames,
  sumPackets,
} from './class-summary.ts';
import { type SoundSummary, summarizeSound } from './sound-summary.ts';

/** Result of a receiver's run, and source of all texts about it. */
export interface RunSummary {
  readonly transport: 'udp' | 'tcp' | 'rtp';
  /** True when control and media are encrypted. */
  readonly encrypted: boolean;
  readonly recovery: Recovery;
  readonly latencyMs: number;
  /** Link specification in canonical form; `null`: none. */
  readonly link: string | null;
  readonly media: AnnouncedMedia | null;
  /** Number of sessions, and the cause of each, including the first. */
  readonly sessions: number;
  readonly sessionCauses: readonly ClientSessionCause[];
  readonly durationSeconds: number;
  /** Frames by class; each frame is in exactly one class after `total`. */
  readonly frames: FrameSummary;
  /** Frames withheld by the sender, because less arrived than it sent; they are in none of the classes. */
  readonly framesWithheld: number;
  /** Frames that the sender marked as not to be shown (cut away by an edit list); they are in the classes as well. */
  readonly framesCutAway: number;
  /** Frames shown from an undeclared random access point until a declared one; they are in the classes as well. */
  readonly framesPossiblyDamaged: number;
  /** Frames in the recording, including those too late to be shown; `null` without a recording. */
  readonly recordedFrames: number | null;
  /** Key frames too late to be shown in time, and the latency at which all of them had been in time; `null` without any. */
  readonly lateKeyFrames: { readonly frames: number; readonly latencyMs: number } | null;
  /** Packets by class; each packet is in exactly one class after `total`. */
  readonly packets: PacketSummary;
  /** The same of the sound, on packets and frames of its own; `null` without sound. */
  readonly sound: SoundSummary | null;
  /**
   * Datagrams that this machine dropped before they were read, since it was too slow; `null`: not known. A low count: those
   * that the kernel had joined, as on loopback, count as one.
   */
  readonly hostDrops: number | null;
  /** Datagrams that an operating system refused to send: the sender's media, and this receiver's feedback. */
  readonly sendsRefused: { readonly sender: number; readonly receiver: number };
  /** Forged or replayed datagrams, by authentication; `null` without encryption. */
  readonly notAuthentic: number | null;
  /** Datagrams that a queue on the path has marked instead of dropping them; 0 where the marks are not read. */
  readonly congestionMarks: number;
  readonly duplicates: number;
  readonly foreign: number;
  readonly malformed: number;
  readonly requests: number;
  readonly keyFrameRequests: number;
  /**
   * Time from the fastest observed transit to the release of a frame, and to the arrival of its last packet; last
   * session only.
   */
  readonly playoutDelayMs: DelaySummary;
  readonly completionDelayMs: DelaySummary;
  readonly roundTripMs: number | null;
  /** Duration of the stall at the end, milliseconds: overdue frames that are in no class yet. */
  readonly stalledForMs: number;
  readonly jitterMs: number;
  readonly bytes: {
    /** Bytes of the released access units. */
    readonly payload: number;
    readonly rtpHeaders: number;
    /** UDP: 8 bytes per datagram (RFC 768). TCP: 32 bytes per segment (RFC 9293 §3.1, with timestamps). */
    readonly transportHeaders: number;
    readonly ipHeaders: number;
    /** Method of counting transport and IP headers. */
    readonly headersCounted:
      | 'datagrams'
      | 'segments, as modelled'
      | 'segments, as the kernel counted them'
      | 'segments, estimated';
  };
  /** Counters of the modelled TCP sender over all sessions; `null` for other transports. */
  readonly modeledTcp: {
    readonly congestionControl: CongestionControlName;
    /** Data segments, counting every transmission. */
    readonly segments: number;
    /** Bytes of RTP and framing, counting every transmission; `retransmittedBytes` are those sent before. */
    readonly bytes: number;
    readonly retransmittedBytes: number;
    /** Retransmitted segments: after duplicate acknowledgments, after a timeout, and as a tail loss probe. */
    readonly fastRetransmissions: number;
    readonly timeoutRetransmissions: number;
    readonly tailRetransmissions: number;
    readonly timeouts: number;
  } | null;
}

/** Percentiles and maximum of a delay, milliseconds; a percentile is `null` without values. */
export interface DelaySummary {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number;
}

export interface RunCircumstances {
  /** Transport of each session; the last one is in force. */
  readonly transports: readonly RunSummary['transport'][];
  /** Why each session began. */
  readonly sessionCauses: readonly ClientSessionCause[];
  /** `undefined`: as many as there are rows of statistics. */
  readonly sessionCount?: number | undefined;
  /** Transport before the first session. */
  readonly transport: RunSummary['transport'];
  readonly encrypted: boolean;
  readonly recovery: Recovery;
  readonly latencyMs: number;
  readonly link: LinkSpecification | undefined;
  readonly media: AnnouncedMedia | undefined;
  readonly durationSeconds: number;
  readonly ipv6: boolean;
  /** Duration of the stall at the end, microseconds. */
  readonly stalledFor: Microseconds;
  /** TCP segments received, if the model or the kernel counted them. */
  readonly segments: number | undefined;
  readonly modeledTcp: ModeledTcpRecord | undefined;
  readonly hostFaults: HostFaults;
  /** `undefined` without sound. */
  readonly sound?: SoundRecord | undefined;
  /** Frames written to the recording; `undefined` without one. */
  readonly recordedFrames?: number | undefined;
}

/** TCP header with timestamps; payload of a segment at an Ethernet MTU with them. */
const TCP_HEADER_BYTES = 32;
const SEGMENT_BYTES = 1_448;

export function summarizeRun(sessions: readonly ReceiverStatistics[], run: RunCircumstances): RunSummary {
  const sum = (pick: (statistics: ReceiverStatistics) => number) =>
    sessions.reduce((total, session) => total + pick(session), 0);
  const last = sessions.at(-1);
  const transport = run.transports.at(-1) ?? run.transport;
  const { datagrams, segments } = headersOf(sessions, run);
  return {
    transport,
    encrypted: run.encrypted,
    recovery: transport === 'tcp' ? 'none' : run.recovery,
    latencyMs: run.latencyMs,
    link: run.link ? formatLinkSpecification(run.link) : null,
    media: run.media ?? null,
    sessions: run.sessionCount ?? sessions.length,
    sessionCauses: run.sessionCauses,
    durationSeconds: run.durationSeconds,
    frames: sumFrames(sessions),
    recordedFrames: run.recordedFrames ?? null,
    lateKeyFrames: lateKeyFrames(sessions),
    framesWithheld: sum((s) => s.framesWithheld),
    framesCutAway: sum((s) => s.framesCutAway),
    framesPossiblyDamaged: sum((s) => s.framesPossiblyDamaged),
    packets: sumPackets(sessions),
    sound: run.sound ? summarizeSound(run.sound) : null,
    hostDrops: run.hostFaults.drops ?? null,
    sendsRefused: { sender: run.hostFaults.refusedBySender, receiver: run.hostFaults.refusedHere },
    notAuthentic: run.hostFaults.notAuthentic ?? null,
    congestionMarks: sum((s) => s.congestionMarks),
    duplicates: sum((s) => s.duplicates),
    foreign: sum((s) => s.foreign),
    malformed: sum((s) => s.malformed),
    requests: sum((s) => s.requests),
    keyFrameRequests: sum((s) => s.keyFrameRequests),
    playoutDelayMs: delaySummary(last?.playoutDelay),
    completionDelayMs: delaySummary(last?.completionDelay),
    roundTripMs: toMs(last?.roundTrip),
    stalledForMs: toMs(run.stalledFor) ?? 0,
    jitterMs: toMs(last?.jitter) ?? 0,
    bytes: {
      payload: sum((s) => s.payloadBytes),
      rtpHeaders: sum((s) => s.rtpHeaderBytes),
      transportHeaders: segments * TCP_HEADER_BYTES + datagrams * UDP_HEADER_BYTES,
      ipHeaders: (segments + datagrams) * (run.ipv6 ? IPV6_HEADER_BYTES : IP_HEADER_BYTES),
      headersCounted: headersCounted(transport, run),
    },
    modeledTcp: run.modeledTcp ? modeledTcpSummary(run.modeledTcp) : null,
  };
}

/** Headers below RTP: of datagrams over UDP, of segments over TCP. A run may change from one to the other. */
function headersOf(
  sessions: readonly ReceiverStatistics[],
  { transport, transports, segments, sound }: RunCircumstances,
) {
  const [udp, tcp] = [[] as ReceiverStatistics[], [] as ReceiverStatistics[]];
  for (const [index, session] of sessions.entries()) {
    ((transports[index] ?? transport) === 'tcp' ? tcp : udp).push(session);
  }
  const tcpBytes = tcp.reduce((sum, { bytes }) => sum + bytes, 0);
  if (udp.length > 0) udp.push(...(sound?.sessions ?? []));
  return {
    datagrams: udp.reduce((sum, { datagrams }) => sum + datagrams, 0),
    segments: tcp.length === 0 ? 0 : (segments ?? Math.ceil(tcpBytes / SEGMENT_BYTES)),
  };
}

function headersCounted(
  transport: RunSummary['transport'],
  { modeledTcp, segments }: RunCircumstances,
): RunSummary['bytes']['headersCounted'] {
  if (transport !== 'tcp') return 'datagrams';
  if (modeledTcp) return 'segments, as modelled';
  return segments === undefined ? 'segments, estimated' : 'segments, as the kernel counted them';
}

function modeledTcpSummary({ congestionControl, sessions }: ModeledTcpRecord): RunSummary['modeledTcp'] {
  const sum = (pick: (counters: ByteTunnelCounters) => number) =>
    sessions.reduce((total, session) => total + pick(session), 0);
  return {
    congestionControl,
    segments: sum((s) => s.segments),
    bytes: sum((s) => s.bytes),
    retransmittedBytes: sum((s) => s.retransmittedBytes),
    fastRetransmissions: sum((s) => s.fastRetransmissions),
    timeoutRetransmissions: sum((s) => s.timeoutRetransmissions),
    tailRetransmissions: sum((s) => s.tailRetransmissions),
    timeouts: sum((s) => s.timeouts),
  };
}

/** Transport, for display. */
export const transportName = ({ transport, modeledTcp }: RunSummary): string =>
  modeledTcp ? `TCP modelled (${modeledTcp.congestionControl})` : transport;

/** Encryption, for display. */
export const encryptionName = ({ encrypted }: RunSummary): string => (encrypted ? 'encrypted' : 'not encrypted');

function lateKeyFrames(sessions: readonly ReceiverStatistics[]): RunSummary['lateKeyFrames'] {
  const frames = sessions.reduce((total, session) => total + session.lateKeyFrames, 0);
  const latency = sessions.reduce((longest, { lateKeyDelay }) => Math.max(longest, lateKeyDelay), 0);
  return frames === 0 ? null : { frames, latencyMs: Math.ceil(latency / 10_000) * 10 };
}

/** Number of late frames: shown late, only decoded, or dropped. */
export const framesLate = ({ frames }: RunSummary): number => lateIn(frames);

/** Number of frames not shown for a reason other than lateness. */
export const framesLost = ({ frames }: RunSummary): number => lostIn(frames);

export const packetsRecovered = ({ packets }: RunSummary): number => recoveredIn(packets);

/** The same figures in the form of the page. */
export function pageStatistics(summary: RunSummary, bitrate: number | null): PageStatistics {
  return {
    framesOnTime: summary.frames.onTime,
    framesLate: summary.frames.late + summary.frames.overdue,
    framesMended: summary.frames.mended,
    framesLost: framesLost(summary),
    framesRecovered: summary.frames.recovered,
    packets: summary.packets.total,
    // Lost on the path, whether or not they were recovered later.
    packetsLost: summary.packets.neverArrived + packetsRecovered(summary),
    packetsRecovered: packetsRecovered(summary),
    delayMsP50: summary.playoutDelayMs.p50,
    delayMsP95: summary.playoutDelayMs.p95,
    latencyMs: summary.latencyMs,
    roundTripMs: summary.roundTripMs,
    bitrate,
    ...(summary.hostDrops ? { hostDrops: summary.hostDrops } : {}),
    ...(summary.sendsRefused.sender > 0 ? { sendsRefused: summary.sendsRefused.sender } : {}),
    transport: `${transportName(summary)}, ${encryptionName(summary)}`,
    recovery: summary.recovery,
    ...(summary.link === null ? {} : { link: summary.link }),
  };
}

function delaySummary(delay: ReceiverStatistics['playoutDelay'] | undefined): DelaySummary {
  return { p50: toMs(delay?.p50), p95: toMs(delay?.p95), p99: toMs(delay?.p99), max: toMs(delay?.max) ?? 0 };
}

const toMs = (span: number | undefined): number | null => (span === undefined ? null : Math.round(span / 10) / 100);
