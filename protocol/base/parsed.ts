/** Result of parsing input from a peer: the value, or the reason why it is malformed. Parsers never throw. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly malformed: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const malformed = (cause: string): { readonly ok: false; readonly malformed: string } => ({
  ok: false,
  malformed: cause,
});
