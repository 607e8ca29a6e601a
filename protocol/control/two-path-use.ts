/** All uses of two paths. */
export const TWO_PATH_USES = ['duplicate', 'split', 'coded'] as const;

/**
 * Use of two paths by one stream: everything by both; each packet by one; or each by one, with repair packets against the
 * failure of a path where a request cannot be answered in time.
 */
export type TwoPathUse = (typeof TWO_PATH_USES)[number];
