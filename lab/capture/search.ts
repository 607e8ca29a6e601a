/** Searches for maxima and roots. All functions are deterministic. */

export interface Maximum {
  readonly at: readonly number[];
  readonly value: number;
}

/** Maximum of a function by the method of Nelder and Mead (1965). @param steps initial step in each direction */
export function maximize(
  of: (at: readonly number[]) => number,
  start: readonly number[],
  steps: readonly number[],
  { evaluations = 400, tolerance = 1e-7 }: { readonly evaluations?: number; readonly tolerance?: number } = {},
): Maximum {
  const point = (at: readonly number[]): Maximum => {
    const value = of(at);
    return { at, value: Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value };
  };
  const corners = [
    point(start),
    ...start.map((_, index) => point(start.map((x, other) => (other === index ? x + steps[index]! : x)))),
  ];
  const count = start.length;
  for (let used = count + 1; used < evaluations; ) {
    corners.sort((one, other) => other.value - one.value);
    const [best, worst] = [corners[0]!, corners[count]!];
    if (Math.abs(best.value - worst.value) <= tolerance) break;
    const center = start.map(
      (_, index) => corners.slice(0, count).reduce((sum, { at }) => sum + at[index]!, 0) / count,
    );
    const along = (factor: number) => point(center.map((x, index) => x + factor * (worst.at[index]! - x)));
    const reflected = along(-1);
    used++;
    if (reflected.value > best.value) {
      const expanded = along(-2);
      used++;
      corners[count] = expanded.value > reflected.value ? expanded : reflected;
    } else if (reflected.value > corners[count - 1]!.value) corners[count] = reflected;
    else {
      const contracted = along(reflected.value > worst.value ? -0.5 : 0.5);
      used++;
      if (contracted.value > Math.max(worst.value, reflected.value)) corners[count] = contracted;
      else {
        for (let index = 1; index <= count; index++) {
          corners[index] = point(corners[index]!.at.map((x, axis) => (x + best.at[axis]!) / 2));
        }
        used += count;
      }
    }
  }
  return corners.reduce((best, each) => (each.value > best.value ? each : best));
}

/** Where a function that changes its sign between `low` and `high` is zero, by bisection. */
export function rootBetween(of: (x: number) => number, low: number, high: number, rounds = 60): number {
  let [from, to] = [low, high];
  const rises = of(from) < 0;
  for (let round = 0; round < rounds; round++) {
    const middle = (from + to) / 2;
    if (of(middle) < 0 === rises) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

/** Largest value of a function with a single maximum between two points, by golden section. */
export function peakBetween(of: (x: number) => number, low: number, high: number, rounds = 50): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [from, to] = [low, high];
  let [left, right] = [to - ratio * (to - from), from + ratio * (to - from)];
  let [atLeft, atRight] = [of(left), of(right)];
  for (let round = 0; round < rounds; round++) {
    if (atLeft > atRight) {
      [to, right, atRight] = [right, left, atLeft];
      left = to - ratio * (to - from);
      atLeft = of(left);
    } else {
      [from, left, atLeft] = [left, right, atRight];
      right = from + ratio * (to - from);
      atRight = of(right);
    }
  }
  return Math.max(atLeft, atRight);
}
