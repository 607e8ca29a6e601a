import { availableParallelism } from 'node:os';
import type { TunReport } from '../../session/tun/tun-message.ts';
import type { EndResult } from './end-order.ts';

/** Conditions of a measurement, which is not reproducible to the byte. */
export interface Measurement {
  readonly mode: 'socket';
  readonly repeat: number;
  /** Read back from the kernel. For a cell over UDP, the setting that TCP would have used. */
  readonly congestionControl: string;
  /** `tcp_notsent_lowat`, bytes, read back from the kernel; 4,294,967,295: unlimited. */
  readonly notsentLowat: number;
  /** Kernel release, such as `6.18.5`. */
  readonly kernel: string;
  /** Lateness of frame captures, microseconds. */
  readonly timerUsP99: number;
  readonly timerUsMax: number;
  /** Lateness of packets leaving the link, microseconds; the worse of both directions. */
  readonly relayUsP50: number;
  readonly relayUsP99: number;
  readonly relayUsMax: number;
  /** Packets dropped by this machine rather than by the link. Should be 0. */
  readonly machineDrops: number;
  /** Number of runs until one was undisturbed, and whether none was. */
  readonly attempts: number;
  readonly disturbed: boolean;
}

/** Disturbance of a run that is tolerated without repetition. */
export interface DisturbanceLimits {
  /** Longest tolerated lateness of a frame or packet, microseconds. */
  readonly lateUsMax: number;
  /** Maximum number of runs of a cell. */
  readonly attemptsMax: number;
}

/** 10 ms is a tenth of the budget of live video. */
export const DISTURBANCE_LIMITS: DisturbanceLimits = { lateUsMax: 10_000, attemptsMax: 3 };

/** Distributions are compared: one packet that is late by less is one of hundreds, and none that a timeout is about. */
export const CALIBRATION_LIMITS: DisturbanceLimits = { lateUsMax: 20_000, attemptsMax: 3 };

/** Maximum number of parallel measurements: each needs two cores for its two ends and the relay. */
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
