import { expect, test } from 'vitest';
import { DARK, LIGHT, STRATEGY_STYLES, strategyStyles } from '../../../lab/report/strategy-style.ts';
import { KERNEL_STRATEGIES, SIMULATED_STRATEGIES, simulatedTwin } from '../../../lab/strategies.ts';

/** WCAG 2.2: contrast of two colors, 1 … 21. */
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

test('every strategy of the virtual clock has a style of its own', () => {
  expect(STRATEGY_STYLES.map(({ name }) => name)).toEqual([...SIMULATED_STRATEGIES]);
});

test('no two strategies share a color, a dash, or a marker and its filling', () => {
  const count = STRATEGY_STYLES.length;
  expect(new Set(STRATEGY_STYLES.map(({ color }) => color)).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ colorDark }) => colorDark)).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ dash }) => dash.join())).size).toBe(count);
  expect(new Set(STRATEGY_STYLES.map(({ marker, filled }) => `${marker} ${filled}`)).size).toBe(count);
});

test('UDP has filled markers and TCP hollow ones', () => {
  for (const { name, filled } of STRATEGY_STYLES) expect(filled).toBe(!name.startsWith('tcp-'));
});

test.each(STRATEGY_STYLES)('$name stands out from paper and from a dark ground', ({ color, colorDark }) => {
  expect(contrast(color, LIGHT.surface)).toBeGreaterThanOrEqual(3);
  expect(contrast(colorDark, DARK.surface)).toBeGreaterThanOrEqual(3);
});

test('text is readable on both grounds', () => {
  for (const ground of [LIGHT, DARK]) {
    expect(contrast(ground.ink, ground.surface)).toBeGreaterThanOrEqual(7);
    expect(contrast(ground.muted, ground.surface)).toBeGreaterThanOrEqual(4.5);
  }
});

test('styles come once each and in one order, whatever the order of the names', () => {
  const names = (given: string[]) => strategyStyles(given).map(({ name }) => name);
  expect(names(['tcp-bbr', 'hybrid', 'none', 'hybrid'])).toEqual(['none', 'hybrid', 'tcp-bbr']);
  expect(names(['zeta', 'nack', 'alpha'])).toEqual(['nack', 'alpha', 'zeta']);
});

test('what is measured on the kernel has the color and the filling of what is simulated, and another marker', () => {
  for (const measured of KERNEL_STRATEGIES) {
    const [simulated, style] = strategyStyles([measured, simulatedTwin(measured)]);
    expect(style).toMatchObject({ name: measured, color: simulated!.color, filled: simulated!.filled });
    expect(style!.marker).not.toBe(simulated!.marker);
  }
});

test('parameters keep the color of their strategy and get a marker of their own', () => {
  const [plain, more, most] = strategyStyles(['hybrid', 'hybrid redundancy=0.5', 'hybrid redundancy=1']);
  expect([more?.color, most?.color]).toEqual([plain?.color, plain?.color]);
  expect(new Set([plain, more, most].map((style) => style?.marker)).size).toBe(3);
});
