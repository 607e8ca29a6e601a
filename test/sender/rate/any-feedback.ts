import fc from 'fast-check';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import type { CongestionFeedback, EcnMark, PacketReport, SentKind } from '../../../sender/rate/rate-controller.ts';

/** Reports that no path would cause but a controller has to survive: times in any order, and clocks that step. */
export const anyFeedback: fc.Arbitrary<readonly { readonly passed: number; readonly feedback: CongestionFeedback }[]> =
  fc
    .array(
      fc.record({
        /** Milliseconds since the report before. */
        passed: fc.nat(3_000),
        packets: fc.array(
          fc.record({
            number: fc.nat(500),
            bytes: fc.integer({ min: 40, max: 65_000 }),
            sentMs: fc.nat(100_000),
            arrivedMs: fc.option(fc.integer({ min: -1e9, max: 1e9 }), { nil: undefined }),
            mark: fc.constantFrom<EcnMark>('not-ect', 'ect-1', 'ect-0', 'ce'),
            kind: fc.constantFrom<SentKind>('media', 'retransmission', 'repair', 'padding'),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        bytesInFlight: fc.nat(10_000_000),
        roundTripMs: fc.nat(60_000),
      }),
      { maxLength: 60 },
    )
    .map((reports) =>
      reports.map(({ passed, packets, bytesInFlight, roundTripMs }) => ({
        passed,
        feedback: {
          packets: packets
            .map(
              ({ sentMs, arrivedMs, ...packet }): PacketReport => ({
                ...packet,
                sentAt: instant(sentMs * 1_000),
                arrivedAt: arrivedMs === undefined ? undefined : microseconds(arrivedMs * 1_000),
              }),
            )
            .sort((one, other) => one.number - other.number),
          bytesInFlight,
          roundTrip: microseconds(roundTripMs * 1_000),
          roundTripLatest: microseconds(roundTripMs * 1_000),
        },
      })),
    );
