import { LANE_STYLES } from './lane-style.ts';

/** Returns the color of a strategy in CSS, which follows the color scheme. */
export function colorOf(strategy: string): string {
  const { color, colorDark } = LANE_STYLES[strategy] ?? LANE_STYLES.none!;
  return `light-dark(${color}, ${colorDark})`;
}
