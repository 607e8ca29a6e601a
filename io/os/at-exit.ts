/** One exit listener for all callbacks: Node reports more than ten listeners as a leak. */
const duties = new Set<() => void>();
let isListening = false;

/**
 * Registers a callback for a normal exit (also `process.exit`); a signal without a handler skips it.
 * @param duty runs synchronously: nothing is awaited at exit.
 * @returns a function that removes the callback.
 */
export function atExit(duty: () => void): () => void {
  if (!isListening) process.once('exit', () => [...duties].forEach((each) => void each()));
  isListening = true;
  duties.add(duty);
  return () => void duties.delete(duty);
}
