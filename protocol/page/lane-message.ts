import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { Ticks } from '../base/units.ts';
import type { Recovery } from '../control/recovery.ts';
import type { PageSoundDescription } from './page-message.ts';
import { readPicture, writePicture } from './picture-bytes.ts';

/**
 * Messages between the lane server and its page over one WebSocket. All times are milliseconds on the clock of the
 * lanes, which starts at 0 with the server.
 *
 * Binary messages carry a frame of one lane, server to page, in the form of `picture-bytes.ts`, version 2; the bytes of the
 * kind are lane and run, the number is that of the frame within the run, and the time is that of handing over to the lane.
 * Those with a frame of sound are in `lane-sound.ts`.
 *
 * A lane whose settings change begins another run, whose frames count from 0 again. Text
 * messages are JSON: `LaneAnnouncement` from the server, `LaneCommand` (protocol/page/lane-command.ts) from the page.
 */
export interface LanePicture {
  /** 0…3. */
  readonly lane: number;
  /** Run of the lane, modulo 256. */
  readonly run: number;
  readonly frame: number;
  readonly key: boolean;
  /** True for a picture that is decoded but not shown. */
  readonly decodeOnly?: boolean;
  /** True for a picture that no other refers to. */
  readonly discardable?: boolean;
  readonly timestamp: Ticks;
  readonly capturedMs: number;
  /** Access unit with start codes (H.264 Annex B). */
  readonly data: Uint8Array;
}

export type LaneProtocol = 'udp' | 'tcp';
export type LaneCongestionControl = 'reno' | 'cubic' | 'bbr';

/** Transport settings of one lane. */
export interface LaneSettings {
  readonly transport: LaneProtocol;
  /** Loss recovery over UDP. */
  readonly recovery: Recovery;
  /** Congestion control of the modelled TCP. */
  readonly congestionControl: LaneCongestionControl;
  /** Play-out delay above the path's own delay, milliseconds. */
  readonly latencyMs: number;
  /**
   * After a lost frame: `freeze` holds the last intact picture until the next key frame, `smear` decodes what can be
   * decoded.
   */
  readonly onLoss: 'freeze' | 'smear';
  /** True when the lane's source follows the path: an encoder in the loop, over UDP. Absent: false. */
  readonly follows?: boolean | undefined;
  /** True for the TCP of the machine's kernel, with its own congestion control, in place of the model. Absent: false. */
  readonly kernel?: boolean | undefined;
}

/** Settings shared by all lanes. */
export interface LanesState {
  readonly lanes: readonly LaneSettings[];
  /** Link of each direction of every lane, in the one-line form. */
  readonly link: string;
  /** Name of one of `sources`. */
  readonly source: string;
  readonly sources: readonly string[];
  /** Why lanes that follow the path show nothing, in one line; absent while they can, or when there is none. */
  readonly notFollowing?: string | undefined;
  /** Why lanes over the TCP of the machine's kernel cannot be shown, in one line; absent when they can. */
  readonly noKernelTcp?: string | undefined;
}

/** Figures of a lane since its run began: shown on the page, and contained in `/summary.json` and "save". */
export interface LaneFigures {
  readonly run: number;
  readonly seconds: number;
  /** Each decided frame is in exactly one class. */
  readonly framesOnTime: number;
  readonly framesRecovered: number;
  /** Completed after their deadline: shown late, or dropped. */
  readonly framesLate: number;
  /** Completed after their deadline, and decoded without being shown. */
  readonly framesMended: number;
  readonly framesLost: number;
  /** Frames on time, recovered, and shown late. */
  readonly framesShown: number;
  /** Of these, frames shown although a frame that they refer to was missing: the picture is damaged. */
  readonly framesDamaged: number;
  /** Datagrams or segments that carried new media, and the number of these that the link lost. */
  readonly packets: number;
  readonly packetsLost: number;
  /** Retransmitted packets, and repair packets. */
  readonly packetsAgain: number;
  readonly packetsRepair: number;
  /** Time from the source's delivery of a frame until it is shown; `null` before the first frame. */
  readonly lagMsP50: number | null;
  readonly lagMsP95: number | null;
  /** W3C webrtc-stats `freezeCount`. */
  readonly freezes: number;
  /** Bytes of the pictures and the sound sent, and all bytes that entered the link for them, headers included. */
  readonly mediaBytes: number;
  readonly pathBytes: number;
  /** Bytes that entered the link towards the receiver, headers included, per byte of media sent, minus one. */
  readonly overhead: number | null;
  /** Delay so far of the next frame of an in-order transport; 0 for others. */
  readonly stalledForMs: number;
  /** Figures of the sound; absent without sound. */
  readonly sound?: LaneSoundFigures;
}

/** Fates of the units of a lane's sound. Each decided unit is in exactly one class. */
export interface LaneSoundFigures {
  readonly unitsOnTime: number;
  readonly unitsRecovered: number;
  /** Heard after they were due, over a transport that drops nothing. */
  readonly unitsLate: number;
  readonly unitsLost: number;
  /** Duration of the lost and the late units, milliseconds: sound that is not there when it is due. */
  readonly concealedMs: number;
}

/** Rates of a lane over the last fraction of a second, bits per second. */
export interface LaneRates {
  readonly run: number;
  /** Bit rate that the path carries of the video, for a lane that follows it; `null` for others, and while unknown. */
  readonly target: number | null;
  /** Bytes that entered the link and that left it towards the receiver, headers and recovery included. */
  readonly sent: number;
  readonly delivered: number;
}

/** Kinds of packets in a lane. */
export const PACKET_KINDS = ['media', 'again', 'repair', 'control'] as const;
export type PacketKind = (typeof PACKET_KINDS)[number];

/** [number, kind, frame or −1, sent at, 1 when lost by the link] */
export type PacketSent = readonly [number, number, number, number, 0 | 1];
/** [number, arrived at, 1 when blocked by a missing earlier packet] */
export type PacketArrived = readonly [number, number, 0 | 1];
/** [number, time at which the missing packet before it arrived] */
export type PacketFreed = readonly [number, number];

/**
 * [number, captured at, complete at or −1, shown or given up at, class, number of the picture in the source or −1, its time
 * in the source, milliseconds, or −1]
 */
export type FrameDecided = readonly [number, number, number, number, number, number, number];

/** A unit of sound: [number, captured at, heard or given up at, class, duration in milliseconds] */
export type SoundDecided = readonly [number, number, number, number, number];

/** Events of one lane since the previous such message. */
export interface LaneEvents {
  readonly run: number;
  readonly sent: readonly PacketSent[];
  /** Numbers of packets sent earlier that a queue has dropped since. */
  readonly lost: readonly number[];
  readonly arrived: readonly PacketArrived[];
  readonly freed: readonly PacketFreed[];
  readonly frames: readonly FrameDecided[];
  readonly sounds: readonly SoundDecided[];
}

/** Rates of all lanes since the previous such message. */
export interface LanesRates {
  readonly kind: 'rates';
  readonly atMs: number;
  /** Capacity of the link, bits per second, headers included; `null` for a link without a bottleneck. */
  readonly capacity: number | null;
  /** The encoder of the lanes that follow the path: its bit rate, bits per second, and the size of its picture. */
  readonly encoder: { readonly bitrate: number; readonly width: number; readonly height: number } | null;
  readonly lanes: readonly LaneRates[];
}

export type LaneAnnouncement =
  | { readonly kind: 'state'; readonly state: LanesState }
  | {
      readonly kind: 'description';
      readonly width: number;
      readonly height: number;
      readonly title: string;
      /** Start of the server, milliseconds since the epoch: tells a restarted server from the one of before. */
      readonly startedAtMs: number;
      /** Absent without sound. */
      readonly sound?: PageSoundDescription | undefined;
      /** Command that starts the server, as typed in a shell. */
      readonly command?: string | undefined;
    }
  | { readonly kind: 'events'; readonly atMs: number; readonly lanes: readonly LaneEvents[] }
  | { readonly kind: 'figures'; readonly atMs: number; readonly lanes: readonly LaneFigures[] }
  | LanesRates
  /**
   * A command of this window was not carried out, or the source has ended early; `why` gives the reason in one line.
   */
  | { readonly kind: 'refused'; readonly why: string }
  /** This window read too slowly and was sent no pictures, until it had caught up; now it continues at the newest. */
  | { readonly kind: 'skipped'; readonly behindMs: number }
  | { readonly kind: 'ended' };

export const LANES_MAX = 4;
export const LANE_SOCKET_PATH = '/lanes';
/** Maximum size of a file dropped on the page, bytes. */
export const UPLOAD_BYTES_MAX = 512_000_000;

const VERSION = 2;
/** Positions of the lane and of its run in a binary message. */
export const LANE_OFFSET = 2;
export const RUN_OFFSET = 3;

export function serializeLanePicture(
  picture: Omit<LanePicture, 'data'> & { readonly parts: readonly Uint8Array[] },
): Uint8Array {
  const { frame: number, capturedMs: timeMs } = picture;
  const message = writePicture(VERSION, { ...picture, number, timeMs }, picture.parts);
  message[LANE_OFFSET] = picture.lane;
  message[RUN_OFFSET] = picture.run;
  return message;
}

/** Returns a picture message with another lane. */
export function laneUnitOnLane(message: Uint8Array, lane: number): Uint8Array {
  if (message[LANE_OFFSET] === lane) return message;
  const copy = message.slice();
  copy[LANE_OFFSET] = lane;
  return copy;
}

/** The result's bytes are a view of `message`. */
export function parseLanePicture(message: Uint8Array): Parsed<LanePicture> {
  const read = readPicture(VERSION, message);
  if (!read.ok) return read;
  const { number: frame, timeMs: capturedMs, ...picture } = read.value;
  const lane = message[LANE_OFFSET] ?? 0;
  if (lane >= LANES_MAX) return malformed('no-such-lane');
  return parsed({ ...picture, lane, run: message[RUN_OFFSET] ?? 0, frame, capturedMs });
}
