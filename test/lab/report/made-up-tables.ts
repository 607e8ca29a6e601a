import type { ReportTables } from '../../../lab/report/report-tables.ts';
import { STRATEGIES } from '../../../lab/strategies.ts';
import type { FrameRecord, SummaryRow } from '../../../lab/tables.ts';

/** A row of 3,000 frames without misses, with overrides. */
export function row(given: Partial<SummaryRow> = {}): SummaryRow {
  const frames = given.frames ?? 3_000;
  const framesInTime = given.framesInTime ?? frames;
  const strategy = given.strategy ?? 'nack';
  const seed = given.seed ?? 1;
  const budgetMs = given.budgetMs ?? 150;
  const linkLoss = given.linkLoss ?? 0.02;
  const linkDelayMs = given.linkDelayMs ?? 20;
  const forward = `loss=${linkLoss * 100}% delay=${linkDelayMs}ms seed=${seed}`;
  return {
    cell: `${strategy} ${given.parameters ?? ''} ${given.source ?? ''} ${forward} ${given.linkBurst ?? 1} ${budgetMs}`,
    strategy,
    parameters: '',
    source: 'synthetic 4000kbps 30fps key=30',
    forward,
    back: `delay=${linkDelayMs}ms seed=${seed}`,
    seed,
    budgetMs,
    release: 'deadline',
    linkLoss,
    linkBurst: 1,
    linkDelayMs,
    linkRttMs: 2 * linkDelayMs,
    linkRate: 0,
    framesPerSecond: 30,
    keyInterval: 30,
    sourceRate: 4_000_000,
    frames,
    framesOnTime: framesInTime,
    framesRecovered: 0,
    framesLate: 0,
    framesMended: 0,
    framesOverdue: 0,
    framesIncomplete: frames - framesInTime,
    framesNeverArrived: 0,
    framesUndecodable: 0,
    framesRefused: 0,
    framesCompleteInTime: framesInTime,
    framesInTime,
    framesDecodable: framesInTime,
    framesRendered: framesInTime,
    onTimeRatio: framesInTime / frames,
    missRatio: 1 - framesInTime / frames,
    decodableRatio: framesInTime / frames,
    delayUsP50: 25_000,
    delayUsP95: 70_000,
    delayUsP99: 120_000,
    delayUsP999: Number.POSITIVE_INFINITY,
    delayUsMax: Number.POSITIVE_INFINITY,
    deliveredUsMean: 30_000,
    deliveredUsP50: 25_000,
    deliveredUsP95: 70_000,
    deliveredUsP99: 120_000,
    deliveredUsP999: 140_000,
    deliveredUsMax: 149_000,
    inTimeUsP50: 40_000,
    inTimeUsP95: 60_000,
    renderUsP50: 150_000,
    renderUsP95: 150_000,
    renderUsP99: 150_000,
    freezes: 2,
    freezeUs: 800_000,
    pauses: 0,
    pauseUs: 0,
    freezesLibwebrtc: 2,
    freezeUsLibwebrtc: 790_000,
    freezesTambur: 3,
    freezeUsTambur: 1_100_000,
    stallUs: 1_500_000,
    watchedUs: 100_000_000,
    stallRatio: 0.015,
    packetsSent: 36_000,
    packetsLost: 720,
    packetsResidual: 12,
    packetsLate: 3,
    burstsBefore: 700,
    burstMeanBefore: 1.03,
    burstMaxBefore: 3,
    burstsAfter: 11,
    burstMeanAfter: 1.1,
    burstMaxAfter: 2,
    bytesSource: 50_000_000,
    bytesGood: 49_000_000,
    bytesForward: 52_000_000,
    bytesBack: 300_000,
    bytesRetransmission: 1_000_000,
    bytesRepair: 0,
    bytesWasted: 20_000,
    datagramsForward: 37_000,
    datagramsBack: 2_000,
    goodput: 3_920_000,
    overheadForward: 0.04,
    overheadBack: 0.006,
    overhead: 0.046,
    wasteRatio: 0.0004,
    recoveredRetransmission: 600,
    recoveredRepair: 0,
    recoveredBoth: 0,
    recoveryUsP50Retransmission: 45_000,
    recoveryUsP95Retransmission: 90_000,
    recoveryUsP50Repair: null,
    recoveryUsP95Repair: null,
    recoveryUsP50Both: null,
    recoveryUsP95Both: null,
    jitterUs: 400,
    jitterFirstUs: 300,
    limitMissRatio: null,
    missAboveLimit: null,
    limitGoodput: null,
    goodputOfLimit: null,
    causalMissRatio: null,
    causalGoodput: null,
    simulatedUs: 102_000_000,
    framePackets: 12,
    framePacketsMax: 12,
    throughput: 4_100_000,
    retransmissionsSent: 750,
    retransmissionsLost: 15,
    repairsSent: 0,
    repairsLost: 0,
    datagramsLostForward: 735,
    datagramsDroppedForward: 0,
    datagramsLostBack: 40,
    datagramsDroppedBack: 0,
    host: 'ideal',
    bytesLate: 0,
    ...given,
  };
}

/** A frame every 33.3 ms, decodable after 25 ms, with overrides. */
export function frame(number: number, given: Partial<FrameRecord> = {}): FrameRecord {
  const capturedAt = 1_000_000 + number * 33_333;
  return {
    frame: number,
    type: number % 30 === 0 ? 'key' : 'reference',
    bytes: 16_000,
    packets: 12,
    capturedAt,
    sentAt: capturedAt,
    completeAt: capturedAt + 25_000,
    decodableAt: capturedAt + 25_000,
    renderedAt: capturedAt + 150_000,
    lossSeenAt: null,
    mechanism: 'none',
    class: 'onTime',
    ...given,
  };
}

/** A frame that never became decodable. */
export const lostFrame = (number: number): FrameRecord =>
  frame(number, { completeAt: null, decodableAt: null, renderedAt: null, class: 'incomplete' });

export function tables(rows: readonly SummaryRow[], given: Partial<ReportTables> = {}): ReportTables {
  return {
    name: 'made-up',
    question: 'What does a made-up path cost?',
    scenario: [
      ['source', ['synthetic 4000kbps 30fps key=30']],
      ['forward', ['loss=2% delay=20ms']],
    ],
    commands: ['dropframe lab run samples/scenarios/made-up.json'],
    runId: 'c0ffee'.repeat(10),
    versions: { dropframe: '0.1.0', Node: '20.20.2' },
    rows,
    flowRates: [],
    frames: async () => undefined,
    ...given,
  };
}

/** Each strategy on each path with each budget and three seeds; later strategies miss more frames. */
export function grid(given: {
  readonly losses?: readonly number[];
  readonly delaysMs?: readonly number[];
  readonly bursts?: readonly number[];
  readonly budgetsMs?: readonly number[];
}): readonly SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const linkLoss of given.losses ?? [0.02]) {
    for (const linkDelayMs of given.delaysMs ?? [20]) {
      for (const linkBurst of given.bursts ?? [1]) {
        for (const budgetMs of given.budgetsMs ?? [150]) {
          for (const [rank, strategy] of STRATEGIES.entries()) {
            for (const seed of [1, 2, 3]) {
              const missed = Math.min(
                3_000,
                Math.round((rank * rank * 6_000 * linkLoss * linkDelayMs) / (8 * budgetMs)) + seed,
              );
              const path = { linkLoss, linkDelayMs, linkBurst, budgetMs, seed };
              const burst = linkBurst > 1 ? ` burst=${linkBurst}` : '';
              rows.push(
                row({
                  ...path,
                  strategy,
                  framesInTime: 3_000 - missed,
                  overhead: 0.3 - rank * 0.03,
                  forward: `loss=${linkLoss * 100}% delay=${linkDelayMs}ms${burst} seed=${seed}`,
                }),
              );
            }
          }
        }
      }
    }
  }
  return rows;
}

/** 300 frames for any cell of `grid`; of every forty, one is lost, the next late and the next recovered. */
export async function gridFrames(): Promise<readonly FrameRecord[]> {
  return Array.from({ length: 300 }, (_, number) => {
    const { capturedAt } = frame(number);
    if (number % 40 === 7) return lostFrame(number);
    if (number % 40 === 8) return frame(number, { decodableAt: capturedAt + 500_000, class: 'late' });
    if (number % 40 === 9) return frame(number, { decodableAt: capturedAt + 55_000, class: 'recovered' });
    return frame(number);
  });
}
