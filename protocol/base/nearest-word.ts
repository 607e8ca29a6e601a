/** Least share of equal letters for a suggestion; below it a suggestion misleads. */
const LIKENESS_MIN = 0.5;

/** Text for the place of a misspelled word: the known word that is alike, or all of them. */
export function suggestion(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${nearest}"?`;
}

/** Returns the known word that a misspelled one most likely means, or `undefined` when none is alike. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  let nearest: string | undefined;
  let best = LIKENESS_MIN;
  for (const candidate of known) {
    const edits = editDistance(lower, candidate.toLowerCase());
    const likeness = 1 - edits / Math.max(word.length, candidate.length, 1);
    if (likeness > best) {
      nearest = candidate;
      best = likeness;
    }
  }
  return nearest;
}

/** Number of inserted, removed, replaced and transposed letters between two words (optimal string alignment). */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const equal = one[i - 1] === other[j - 1];
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (equal ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        edits = Math.min(edits, before[j - 2]! + 1);
      }
      row.push(edits);
    }
    [before, last] = [last, row];
  }
  return last.at(-1)!;
}
