/** Number of binary digits that distinguish `count` values: the base-2 logarithm, rounded up. @param count 1 … 2^31 */
export const digitsFor = (count: number): number => (count <= 1 ? 0 : 32 - Math.clz32(Math.ceil(count) - 1));

/** The smallest power of two that is at least `count`. @param count 1 … 2^31 */
export const powerOfTwo = (count: number): number => 2 ** digitsFor(count);
