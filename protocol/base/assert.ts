/**
 * Checks an internal invariant. A failure is a bug in dropframe and ends the program; input from peers never causes
 * one.
 */
export function assert(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${reason}`);
}
