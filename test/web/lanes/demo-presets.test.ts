import { describe, expect, it } from 'vitest';
import { readReadyMadeTrace } from '../../../io/ready-made-traces.ts';
import { formatLinkSpecification } from '../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { PRESETS } from '../../../sim/link/presets.ts';
import { FIRST_PRESETS, LAB_PRESETS, MORE_PRESETS } from '../../../web/lanes/demo-presets.ts';

const DEMO_PRESETS = [...FIRST_PRESETS, ...MORE_PRESETS];

describe('the presets of the page', () => {
  it.each([...DEMO_PRESETS, ...PRESETS])('$name survives parsing and formatting', ({ link }) => {
    const read = parseLinkSpecification(`${link} seed=7`, readReadyMadeTrace);
    expect(read).toMatchObject({ ok: true });
    if (read.ok) expect(parseLinkSpecification(formatLinkSpecification(read.value), readReadyMadeTrace)).toEqual(read);
  });

  it('include a drive, a lift, a crowded Wi-Fi and a competing download', () => {
    const names = DEMO_PRESETS.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['drive', 'lift', 'crowded Wi-Fi', 'competing download']));
  });

  it('begin with six', () => {
    expect(FIRST_PRESETS.length).toBe(6);
  });

  it('have unique names', () => {
    const names = [...DEMO_PRESETS, ...LAB_PRESETS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('have one satellite', () => {
    const names = [...DEMO_PRESETS, ...LAB_PRESETS].map(({ name }) => name);
    expect(names.filter((name) => name.includes('satellite'))).toEqual(['satellite']);
  });
});
