/** How many binary digits tell `count` things apart: the logarithm to base 2, rounded up. @param count 1 … 2^31 */
export const digitsFor = (count: number): number => (count <= 1 ? 0 : 32 - Math.clz32(Math.ceil(count) - 1));

/** The smallest power of two that is not below `count`. @param count 1 … 2^31 */
export const powerOfTwo = (count: number): number => 2 ** digitsFor(count);
