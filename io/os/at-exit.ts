/** One listener for all: each on its own would, from the eleventh on, be taken for a leak. */
const duties = new Set<() => void>();
let isListening = false;

/**
 * Has something done when the process ends by itself or by `process.exit`; a signal that nobody handles leaves it undone.
 * @param duty at once or not at all: nothing is waited for then.
 * @returns what takes the duty back.
 */
export function atExit(duty: () => void): () => void {
  if (!isListening) process.once('exit', () => [...duties].forEach((each) => void each()));
  isListening = true;
  duties.add(duty);
  return () => void duties.delete(duty);
}
