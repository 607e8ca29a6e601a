import { expect, test } from 'vitest';
import { withMarkedSection } from '../../io/marked-section.ts';

test('what stands between the markers is replaced, as often as one likes, and nothing else', () => {
  const page = '# Results\n<!-- peers:begin -->\n\nold\n<!-- peers:end -->\n<!-- other:begin --><!-- other:end -->\n';
  const once = withMarkedSection(page, 'peers', 'new');
  expect(once).toBe(
    '# Results\n<!-- peers:begin -->\n\nnew\n\n<!-- peers:end -->\n<!-- other:begin --><!-- other:end -->\n',
  );
  expect(withMarkedSection(once!, 'peers', 'new')).toBe(once);
});

test('a page without the markers, or with the last one first, is not written to', () => {
  expect(withMarkedSection('# Results\n', 'peers', 'new')).toBeUndefined();
  expect(withMarkedSection('<!-- peers:end --><!-- peers:begin -->', 'peers', 'new')).toBeUndefined();
});
