import { availableParallelism } from 'node:os';
import type { TunReport } from '../../session/tun/tun-message.ts';
import type { EndResult } from './end-order.ts';

/** Under which conditions a cell was measured: what has to be known of a figure that cannot be repeated to the byte. */
export interface Measurement {
  readonly mode: 'socket';
  readonly repeat: number;
  /** Read back from the kernel; of a cell over UDP it is what TCP would have used. */
  readonly congestionControl: string;
  /** `tcp_notsent_lowat`, bytes, read back from the kernel; 4,294,967,295: no limit. */
  readonly notsentLowat: number;
  /** The kernel's release, such as `6.18.5`. */
  readonly kernel: string;
  /** By how much frames were handed over later than their time, microseconds. */
  readonly timerUsP99: number;
  readonly timerUsMax: number;
  /** By how much packets left the link later than it asked for, microseconds, the worse of both ways. */
  readonly relayUsP50: number;
  readonly relayUsP99: number;
  readonly relayUsMax: number;
  /** Packets and datagrams that this machine dropped beside the link. Should be 0. */
  readonly machineDrops: number;
  /** How often the cell was run until the machine left it in peace, and whether it never did. */
  readonly attempts: number;
  readonly disturbed: boolean;
}

/** What the machine may do to a run without it being repeated. */
export interface DisturbanceLimits {
  /** Neither a frame nor a packet may be later than this, microseconds. */
  readonly lateUsMax: number;
  /** How often a cell is run at most. */
  readonly attemptsMax: number;
}

/** A packet that late is a tenth of the budget of a live picture. */
export const DISTURBANCE_LIMITS: DisturbanceLimits = { lateUsMax: 10_000, attemptsMax: 3 };

/** Distributions are compared: one packet that is late by less is one of hundreds, and none that a timeout is about. */
export const CALIBRATION_LIMITS: DisturbanceLimits = { lateUsMax: 20_000, attemptsMax: 3 };

/** Each has two ends and a relay that are to be on time: two cores. */
export const namespacesMax = (): number => Math.max(1, Math.floor(availableParallelism() / 2));

export function measurementOf(
  report: TunReport,
  result: EndResult,
  run: { readonly repeat: number; readonly kernel: string; readonly attempts: number; readonly lateUsMax: number },
): Measurement {
  const ways = [report.forward.latenessMs, report.back.latenessMs];
  const worst = (read: (lateness: { p50: number; p99: number; max: number }) => number) =>
    Math.round(Math.max(0, ...ways.map((lateness) => (lateness ? read(lateness) * 1_000 : 0))));
  const { timerUs } = result;
  const relayUsMax = worst(({ max }) => max);
  const refused = [report.forward, report.back].reduce((sum, way) => sum + way.refused + way.sendErrors, 0);
  const machineDrops = refused + (report.deviceDrops ?? 0) + result.socketDrops;
  return {
    mode: 'socket',
    repeat: run.repeat,
    congestionControl: report.congestionControl,
    notsentLowat: report.notsentLowat,
    kernel: run.kernel,
    timerUsP99: timerUs.p99,
    timerUsMax: timerUs.max,
    relayUsP50: worst(({ p50 }) => p50),
    relayUsP99: worst(({ p99 }) => p99),
    relayUsMax,
    machineDrops,
    attempts: run.attempts,
    disturbed: Math.max(relayUsMax, timerUs.max) > run.lateUsMax || machineDrops > 0,
  };
}
