import { expect, test } from 'vitest';
import { withMarkedSection } from '../../../lab/calibration/marked-section.ts';

test('what stands between the markers is replaced, and nothing else', () => {
  const page = '# Page\n\nabove\n\n<!-- calibrate:begin -->\nold\n<!-- calibrate:end -->\n\nbelow\n';
  const changed = withMarkedSection(page, 'new\n');
  expect(changed).toBe('# Page\n\nabove\n\n<!-- calibrate:begin -->\n\nnew\n\n<!-- calibrate:end -->\n\nbelow\n');
  expect(withMarkedSection(changed, 'new\n')).toBe(changed);
});

test('a page without markers gets them at its end, under a heading', () => {
  const page = withMarkedSection('# Page\n\nabove\n', 'new');
  expect(page).toMatch(/^# Page\n\nabove\n\n## .+\n\n<!-- calibrate:begin -->\n\nnew\n\n<!-- calibrate:end -->\n$/);
});
