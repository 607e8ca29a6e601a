import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ENTRIES = {
  dropframe: 'index.ts',
  'dropframe/node': 'session/index.ts',
  'dropframe/lab': 'lab/index.ts',
} as const;
const PAGE = readFileSync(join(ROOT, 'docs/API.md'), 'utf8');

interface Exported {
  readonly name: string;
  /** The source file that the entry takes it from. */
  readonly file: string;
}

function exportsOf(entry: string): readonly Exported[] {
  const source = readFileSync(join(ROOT, entry), 'utf8');
  return [...source.matchAll(/export (?:type )?\{([^}]+)\} from '([^']+)'/g)].flatMap(([, names, path]) =>
    names!.split(',').flatMap((part) => {
      const name = part.trim().replace(/^type /, '');
      return name === '' ? [] : [{ name, file: join(dirname(entry), path!) }];
    }),
  );
}

/** The page's part about an entry: from its heading to the next of the same level. */
const sectionOf = (entry: string): string => PAGE.split(/^## /m).find((part) => part.startsWith(`\`${entry}\``)) ?? '';
const headingsOf = (section: string): string[] => [...section.matchAll(/^#### `(\w+)`$/gm)].map(([, name]) => name!);

const DECLARATION = 'export (?:declare )?(?:abstract )?(?:class|function|interface|type|const|async function)';

/** Whether a JSDoc comment stands right before the declaration, wherever the file itself took it from. */
function hasDocumentation({ name, file }: Exported): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (new RegExp(String.raw`\*/\n${DECLARATION} ${name}\b`).test(source)) return true;
  const passedOn = new RegExp(String.raw`export (?:type )?\{[^}]*\b${name}\b[^}]*\} from '([^']+)'`).exec(source)?.[1];
  return passedOn !== undefined && hasDocumentation({ name, file: join(dirname(file), passedOn) });
}

/** The members of an interface that no comment says anything about. */
function bareMembers({ name, file }: Exported): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const body = new RegExp(String.raw`export interface ${name}\b[^{]*\{\n([\s\S]*?)\n\}`).exec(source)?.[1] ?? '';
  const lines = body.split('\n');
  return lines.flatMap((line, index) => {
    const member = /^ {2}(?:readonly )?(\w+)\??[(:]/.exec(line)?.[1];
    return member === undefined || lines[index - 1]?.trimEnd().endsWith('*/') ? [] : [`${name}.${member}`];
  });
}

for (const [entry, file] of Object.entries(ENTRIES)) {
  const exported = exportsOf(file);

  test(`${entry}: every export has an entry in docs/API.md, and every entry is exported`, () => {
    expect(exported.length).toBeGreaterThan(10);
    const names = exported.map(({ name }) => name);
    expect(headingsOf(sectionOf(entry)).sort()).toEqual(names.sort());
  });

  test(`${entry}: every export is documented where it is declared`, () => {
    expect(exported.filter((each) => !hasDocumentation(each)).map(({ name, file }) => `${name} in ${file}`)).toEqual(
      [],
    );
  });

  test(`${entry}: every option says what it means`, () => {
    const options = exported.filter(({ name }) => /(?:Options|Parameters)$/.test(name));
    expect(options.flatMap(bareMembers)).toEqual([]);
  });
}

test('every page that docs/API.md points to exists', () => {
  const links = [...PAGE.matchAll(/\]\(([A-Z-]+\.md)/g)].map(([, page]) => page!);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((page) => !existsSync(join(ROOT, 'docs', page)))).toEqual([]);
});
