import type { Finding } from '../io/doctor.ts';
import { paddedCells } from '../lab/report/text-table.ts';

const WORDS: Readonly<Record<Finding['state'], string>> = { ok: 'ok', warn: 'note', missing: 'missing' };

/** Formats findings for people: one aligned line each, with its remedy on the next line. */
export function formatFindings(findings: readonly Finding[]): string {
  const cells = paddedCells(
    findings.map(({ name, state, detail }) => [WORDS[state], name, detail]),
    () => 'left',
  );
  const lines = findings.flatMap(({ remedy }, index) => {
    const [state = '', name = '', detail = ''] = cells[index]!;
    const line = `${state}  ${name}  ${detail}`.trimEnd();
    return remedy === undefined ? [line] : [line, `${' '.repeat(state.length + name.length + 4)}→ ${remedy}`];
  });
  return `${lines.join('\n')}\n`;
}
