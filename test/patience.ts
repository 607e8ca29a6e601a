/**
 * Time until a test counts as hanging, milliseconds: many times what it takes on a machine that does ten other things. It
 * bounds a hang, and decides nothing else.
 */
export const PATIENCE_MS = 300_000;

/** Bound of a single wait within a test, for `vi.waitFor`. */
export const PATIENCE = { timeout: 120_000, interval: 20 };
