/**
 * Use of two paths by one stream: everything by both; each packet by one; or each by one, with repair packets against the
 * death of a path where a request cannot be answered in time.
 */
export const TWO_PATH_USES = ['duplicate', 'split', 'coded'] as const;

export type TwoPathUse = (typeof TWO_PATH_USES)[number];
