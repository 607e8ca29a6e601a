import { LANE_STYLES } from './lane-style.ts';

const dark = matchMedia('(prefers-color-scheme: dark)');

export function colorOf(strategy: string): string {
  const style = LANE_STYLES[strategy] ?? LANE_STYLES.none!;
  return dark.matches ? style.colorDark : style.color;
}
