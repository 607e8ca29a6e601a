import { expect, test } from 'vitest';
import { withMarkedSection } from '../../io/marked-section.ts';

test('replaces the text between the markers only, repeatedly', () => {
  const page = '# Results\n<!-- peers:begin -->\n\nold\n<!-- peers:end -->\n<!-- other:begin --><!-- other:end -->\n';
  const once = withMarkedSection(page, 'peers', 'new');
  expect(once).toBe(
    '# Results\n<!-- peers:begin -->\n\nnew\n\n<!-- peers:end -->\n<!-- other:begin --><!-- other:end -->\n',
  );
  expect(withMarkedSection(once!, 'peers', 'new')).toBe(once);
});

test('returns undefined for missing or reversed markers', () => {
  expect(withMarkedSection('# Results\n', 'peers', 'new')).toBeUndefined();
  expect(withMarkedSection('<!-- peers:end --><!-- peers:begin -->', 'peers', 'new')).toBeUndefined();
});
