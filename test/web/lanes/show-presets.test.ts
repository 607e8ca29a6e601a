import { describe, expect, it } from 'vitest';
import { readReadyMadeTrace } from '../../../io/ready-made-traces.ts';
import { formatLinkSpecification } from '../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { PRESETS } from '../../../sim/link/presets.ts';
import { SHOW } from '../../../web/lanes/show-presets.ts';

describe('the presets of the page', () => {
  it.each([...SHOW, ...PRESETS])('$name can be read, and back', ({ link }) => {
    const read = parseLinkSpecification(`${link} seed=7`, readReadyMadeTrace);
    expect(read).toMatchObject({ ok: true });
    if (read.ok) expect(parseLinkSpecification(formatLinkSpecification(read.value), readReadyMadeTrace)).toEqual(read);
  });

  it('have names of their own', () => {
    const names = [...SHOW, ...PRESETS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
