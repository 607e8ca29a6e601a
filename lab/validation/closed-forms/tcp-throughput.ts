/** Throughput of a TCP that answers loss as Reno does. BBR obeys none of these. */
export interface TcpPath {
  /** Payload of a segment, bytes. */
  readonly segmentBytes: number;
  /** Seconds. */
  readonly roundTrip: number;
  /** Share of segments lost, independently. */
  readonly loss: number;
}

/** An acknowledgement each segment; with delayed ones √(3/4). */
const MATHIS_CONSTANT = Math.sqrt(3 / 2);

/** Mathis et al. 1997, bits a second: MSS/R · C/√p; rare loss, no timeouts. */
export const mathis = ({ segmentBytes, roundTrip, loss }: TcpPath, constant = MATHIS_CONSTANT): number =>
  (constant * segmentBytes * 8) / (roundTrip * Math.sqrt(loss));

/**
 * Padhye et al. 1998 (PFTK), bits a second, with timeouts.
 *
 * @param acknowledged segments by one acknowledgement, b.
 * @param timeout the first retransmission timeout T₀, seconds; Linux's is at least R + 0.2 s.
 */
export function pftk({ segmentBytes, roundTrip, loss }: TcpPath, acknowledged = 2, timeout = roundTrip + 0.2): number {
  const windows = roundTrip * Math.sqrt((2 * acknowledged * loss) / 3);
  const timeouts = timeout * Math.min(1, 3 * Math.sqrt((3 * acknowledged * loss) / 8)) * loss * (1 + 32 * loss ** 2);
  return (segmentBytes * 8) / (windows + timeouts);
}

/** TFRC (RFC 5348 §3.1), bits a second: b = 1, t_RTO = 4R. */
export function tfrc({ segmentBytes, roundTrip, loss }: TcpPath): number {
  const windows = roundTrip * Math.sqrt((2 * loss) / 3);
  const timeouts = 4 * roundTrip * 3 * Math.sqrt((3 * loss) / 8) * loss * (1 + 32 * loss ** 2);
  return (segmentBytes * 8) / (windows + timeouts);
}

/** Where loss is rare and the path long: CUBIC's average window (RFC 9438 §5.1, C = 0.4, β = 0.7), bits a second. */
export const cubic = ({ segmentBytes, roundTrip, loss }: TcpPath): number =>
  ((segmentBytes * 8) / roundTrip) * 1.054 * (roundTrip / loss) ** 0.75;
