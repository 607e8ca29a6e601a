import { blockFailure, packetResidual, parityResidualOnGilbert } from './block-code.ts';
import { correlationOf, type GilbertElliottPath, lossOf, meanRunOf } from './gilbert-elliott.ts';
import { decodableShare, frameSuccess } from './group-of-pictures.ts';
import {
  meanExtraRounds,
  residualLoss,
  residualLossInOutages,
  residualLossWithLostRequests,
} from './retransmission.ts';
import { mathis, pftk, tfrc } from './tcp-throughput.ts';
import type { Vector } from './vectors.ts';
import { meanWait, shareWaiting } from './waiting.ts';

/** A vector's parameter by name; 0 when it has none. */
export type ParameterReader = (name: string) => number;

export const parametersOf =
  ({ parameters }: Pick<Vector, 'parameters'>): ParameterReader =>
  (name) =>
    parameters[name] ?? 0;

export const pathOf = (of: ParameterReader): GilbertElliottPath => ({
  enterBad: of('p'),
  leaveBad: of('r'),
  lossInBad: of('h'),
  lossInGood: of('k'),
});

const segments = (of: ParameterReader, bytes: 'mss' | 's') => ({
  segmentBytes: of(bytes),
  roundTrip: of('R'),
  loss: of('p'),
});
const release = (of: ParameterReader) => ({ loss: of('p'), repairTime: of('R'), spacing: of('D') });
const code = (of: ParameterReader) => ({ packets: of('n'), source: of('k') });

/** Closed form of each vector name. */
export const FORMS: Readonly<Record<string, (of: ParameterReader) => number>> = {
  arq: (of) => residualLoss(of('p'), of('n')),
  arq_lossy_fb: (of) => residualLossWithLostRequests(of('p'), of('q'), of('n')),
  mds_block: (of) => blockFailure(code(of), of('p')),
  mds_pkt: (of) => packetResidual(code(of), of('p')),
  xor_gilbert_data: (of) => parityResidualOnGilbert(of('k'), of('p'), of('r')),
  gop_Q: (of) => decodableShare(frameSuccess(of('p'), of('N')), of('G')),
  frame_extra_rtts: (of) => meanExtraRounds(of('p'), of('N')),
  hol_mean_ms: (of) => meanWait(release(of)),
  hol_frac: (of) => shareWaiting(release(of)),
  ge_loss: (of) => lossOf(pathOf(of)),
  ge_mean_burst: (of) => meanRunOf(pathOf(of)),
  ge_lag1: (of) => correlationOf(pathOf(of)),
  mathis_mbps: (of) => mathis(segments(of, 'mss')) / 1e6,
  pftk_mbps: (of) => pftk(segments(of, 'mss')) / 1e6,
  tfrc_mbps: (of) => tfrc(segments(of, 's')) / 1e6,
  ctg_arq1: (of) => residualLossInOutages({ badShare: of('piB'), meanBad: of('mean_bad_ms') }, of('R_ms'), 1),
};

/** Evaluates the closed form of a vector. */
export function predict(vector: Pick<Vector, 'id' | 'parameters'>): number {
  const form = FORMS[vector.id];
  if (!form) throw new Error(`no closed form is named ${vector.id}`);
  return form(parametersOf(vector));
}
