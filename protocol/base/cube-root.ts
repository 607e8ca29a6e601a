/** Returns the largest integer whose cube does not exceed `value`, below 2^54; exact on every engine, unlike `Math.cbrt`. */
export function integerCubeRoot(value: number): number {
  let root = 0;
  for (let bit = 2 ** 17; bit >= 1; bit /= 2) {
    const tried = root + bit;
    if (tried * tried * tried <= value) root = tried;
  }
  return root;
}
