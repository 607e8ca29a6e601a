import { expect, test } from 'vitest';
import { DARK, LIGHT, STRATEGY_STYLES, strategyStyles } from '../../../lab/report/strategy-style.ts';
import { KERNEL_STRATEGIES, PATH_STRATEGIES, SIMULATED_STRATEGIES, simulatedTwin } from '../../../lab/strategies.ts';

/** Contrast ratio of two colors (WCAG 2.2), 1 … 21. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('every simulated strategy has a style of its own', () => {
  expect(STRATEGY_STYLES.map(({ name }) => name)).toEqual([...SIMULATED_STRATEGIES, ...PATH_STRATEGIES]);
});

test('no two strategies share a color, a dash, or a marker with the same fill', () => {
  const count = STRATEGY_STYLES.length;
  expect(new Set(STRATEGY_STYLES.map(({ color }) => color)).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ colorDark }) => colorDark)).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ dash }) => dash.join())).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ marker, filled }) => `${marker} ${filled}`)).size).toBe(count);
});

test('UDP strategies have filled markers, TCP hollow ones', () => {
  for (const { name, filled } of STRATEGY_STYLES) expect(filled).toBe(!name.startsWith('tcp-'));
});

test.each(STRATEGY_STYLES)('$name has enough contrast on light and dark backgrounds', ({ color, colorDark }) => {
  expect(contrast(color, LIGHT.surface)).toBeGreaterThanOrEqual(3);
  expect(contrast(colorDark, DARK.surface)).toBeGreaterThanOrEqual(3);
});

test('text has enough contrast on both backgrounds', () => {
  for (const ground of [LIGHT, DARK]) {
    expect(contrast(ground.ink, ground.surface)).toBeGreaterThanOrEqual(7);
    expect(contrast(ground.muted, ground.surface)).toBeGreaterThanOrEqual(4.5);
  }
});

test('styles are unique and in a fixed order', () => {
  const names = (given: string[]) => strategyStyles(given).map(({ name }) => name);
  expect(names(['tcp-bbr', 'hybrid', 'none', 'hybrid'])).toEqual(['none', 'hybrid', 'tcp-bbr']);
  expect(names(['zeta', 'nack', 'alpha'])).toEqual(['nack', 'alpha', 'zeta']);
});

test('kernel strategies have the color and fill of their simulated twins, and another marker', () => {
  for (const measured of KERNEL_STRATEGIES) {
    const [simulated, style] = strategyStyles([measured, simulatedTwin(measured)]);
    expect(style).toMatchObject({ name: measured, color: simulated!.color, filled: simulated!.filled });
    expect(style!.marker).not.toBe(simulated!.marker);
  }
});

test('strategies with parameters keep the color, and get another marker', () => {
  const [plain, more, most] = strategyStyles(['hybrid', 'hybrid redundancy=0.5', 'hybrid redundancy=1']);
  expect([more?.color, most?.color]).toEqual([plain?.color, plain?.color]);
  expect(new Set([plain, more, most].map((style) => style?.marker)).size).toBe(3);
});
