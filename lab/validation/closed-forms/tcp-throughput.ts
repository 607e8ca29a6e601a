/** Throughput of a TCP that responds to loss like Reno. Does not apply to BBR. */
export interface TcpPath {
  /** Payload of a segment, bytes. */
  readonly segmentBytes: number;
  /** Round-trip time, seconds. */
  readonly roundTrip: number;
  /** Segment loss, independent, 0 … 1. */
  readonly loss: number;
}

/** For one acknowledgment per segment; with delayed acknowledgments √(3/4). */
const MATHIS_CONSTANT = Math.sqrt(3 / 2);

/** Mathis et al. 1997, bits per second: MSS/R · C/√p; for rare losses without timeouts. */
export const mathis = ({ segmentBytes, roundTrip, loss }: TcpPath, constant = MATHIS_CONSTANT): number =>
  (constant * segmentBytes * 8) / (roundTrip * Math.sqrt(loss));

/**
 * Padhye et al. 1998 (PFTK), with timeouts, bits per second.
 *
 * @param acknowledged segments per acknowledgment, b.
 * @param timeout initial retransmission timeout T₀, seconds; in Linux at least R + 0.2 s.
 */
export function pftk({ segmentBytes, roundTrip, loss }: TcpPath, acknowledged = 2, timeout = roundTrip + 0.2): number {
  const windows = roundTrip * Math.sqrt((2 * acknowledged * loss) / 3);
  const timeouts = timeout * Math.min(1, 3 * Math.sqrt((3 * acknowledged * loss) / 8)) * loss * (1 + 32 * loss ** 2);
  return (segmentBytes * 8) / (windows + timeouts);
}

/** TFRC (RFC 5348 §3.1), bits per second: b = 1, t_RTO = 4R. */
export function tfrc({ segmentBytes, roundTrip, loss }: TcpPath): number {
  const windows = roundTrip * Math.sqrt((2 * loss) / 3);
  const timeouts = 4 * roundTrip * 3 * Math.sqrt((3 * loss) / 8) * loss * (1 + 32 * loss ** 2);
  return (segmentBytes * 8) / (windows + timeouts);
}

/** Average window of CUBIC for rare losses and long paths (RFC 9438 §5.1, C = 0.4, β = 0.7), as bits per second. */
export const cubic = ({ segmentBytes, roundTrip, loss }: TcpPath): number =>
  ((segmentBytes * 8) / roundTrip) * 1.054 * (roundTrip / loss) ** 0.75;
