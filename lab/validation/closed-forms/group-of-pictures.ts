/** Probability that all packets of a frame arrive; independent losses. */
export const frameSuccess = (loss: number, packets: number): number => (1 - loss) ** packets;

/**
 * Fraction of decodable frames when each refers to the previous one and a key frame starts each group: s_I·(1 −
 * s^G)/((1 − s)·G).
 *
 * @param success probability that a frame is complete.
 * @param frames frames per group.
 * @param keySuccess probability that the key frame is complete, when its size differs.
 */
export const decodableShare = (success: number, frames: number, keySuccess = success): number =>
  success === 1 ? keySuccess : (keySuccess * (1 - success ** frames)) / ((1 - success) * frames);
