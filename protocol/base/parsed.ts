/** Bytes from others are data: a parser returns the value, or the cause why there is none. It never throws. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly malformed: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const malformed = (cause: string): { readonly ok: false; readonly malformed: string } => ({
  ok: false,
  malformed: cause,
});
