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

/** True when a JSDoc comment directly precedes the declaration, including a re-exported one. */
function hasDocumentation({ name, file }: Exported): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (new RegExp(String.raw`\*/\n${DECLARATION} ${name}\b`).test(source)) return true;
  const passedOn = new RegExp(String.raw`export (?:type )?\{[^}]*\b${name}\b[^}]*\} from '([^']+)'`).exec(source)?.[1];
  return passedOn !== undefined && hasDocumentation({ name, file: join(dirname(file), passedOn) });
}

/** The members of an interface without a comment. */
function bareMembers({ name, file }: Exported): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const body = new RegExp(String.raw`export interface ${name}\b[^{]*\{\n([\s\S]*?)\n\}`).exec(source)?.[1] ?? '';
  const lines = body.split('\n');
  return lines.flatMap((line, index) => {
    const member = /^ {2}(?:readonly )?(\w+)\??[(:]/.exec(line)?.[1];
    return member === undefined || lines[index - 1]?.trimEnd().endsWith('*/') ? [] : [`${name}.${member}`];
  });
}

/** Exports whose members another page or section describes: docs/LAB.md, and "The contract". */
const DESCRIBED_ELSEWHERE = new Set(['SummaryRow', 'SecondPathFigures', 'SoundFigures', 'Endpoint']);
/** Members that every endpoint has; the page describes them once, as the contract. */
const ENDPOINT_MEMBERS = new Set(['handleDatagram', 'handleTimeout', 'pollTransmit', 'pollEvent', 'pollTimeout']);

/** Body and base interfaces of a class or an interface in a file, or in a file that it imports the name from. */
function declarationOf({ name, file }: Exported): { body: string; bases: string[]; isEndpoint: boolean; file: string } {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const found = new RegExp(String.raw`export (?:interface|class) ${name}\b([^{]*)\{\n([\s\S]*?)\n\}`).exec(source);
  if (found) {
    const heritage = found[1]!.replace(/Omit<(\w+),[^>]*>/, '$1');
    const bases = /extends ([\w, ]+)/.exec(heritage)?.[1]?.replace(/ implements.*/, '') ?? '';
    return {
      body: found[2]!,
      bases: bases.split(',').flatMap((base) => base.trim() || []),
      isEndpoint: found[1]!.includes('implements Endpoint'),
      file,
    };
  }
  const from = new RegExp(String.raw`(?:import|export) (?:type )?\{[^}]*\b${name}\b[^}]*\} from '([^']+)'`).exec(
    source,
  )?.[1];
  if (from === undefined) throw new Error(`${name} is not declared in ${file} as this test can read it`);
  return declarationOf({ name, file: join(dirname(file), from) });
}

/** True for classes, interfaces, and picks or unions that are options. */
function hasMembers({ name, file }: Exported): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const declared = new RegExp(String.raw`export (?:abstract )?(?:interface|class) ${name}\b`).test(source);
  return declared || /^[A-Z]\w*(?:Options|Settings|Parameters)$/.test(name);
}

/** Public members of an export, inherited ones included; a `Pick` has the members that it lists. */
function membersOf({ name, file }: Exported): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const picked = new RegExp(String.raw`export type ${name} = Pick<\s*\w+,([^>]+)>`).exec(source)?.[1];
  if (picked !== undefined) return [...picked.matchAll(/'(\w+)'/g)].map(([, member]) => member!);
  // A union is described by the types that it consists of.
  const union = new RegExp(String.raw`export type ${name} =([\w\s|]+);`).exec(source)?.[1];
  if (union !== undefined) return union.split('|').flatMap((type) => type.trim() || []);
  const declared = declarationOf({ name, file });
  const own = declared.body.split('\n').flatMap((line) => {
    return /^ {2}(?:readonly |get |async )*(\w+)(?:<[^>]*>)?[?]?[(:;=]/.exec(line)?.[1] ?? [];
  });
  // A base with a section of its own is described there.
  const bases = declared.bases.filter((base) => base !== 'Error' && !PAGE.includes(`\n#### \`${base}\`\n`));
  const described = own.filter((member) => {
    return member !== 'constructor' && !(declared.isEndpoint && ENDPOINT_MEMBERS.has(member));
  });
  return [...described, ...bases.flatMap((base) => membersOf({ name: base, file: declared.file }))];
}

/** Names in the code spans of an export's section, such as `send` of `send(now, unit)`. */
function spansOf(entry: string, name: string): ReadonlySet<string> {
  const section =
    sectionOf(entry)
      .split(`\n#### \`${name}\`\n`)[1]
      ?.split(/^#{2,4} /m)[0] ?? '';
  return new Set([...section.matchAll(/`(\w+)(?:\([^`]*\))?`/g)].map(([, span]) => span!));
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

  test(`${entry}: every option is documented`, () => {
    const options = exported.filter(({ name }) => /(?:Options|Parameters)$/.test(name));
    expect(options.flatMap(bareMembers)).toEqual([]);
  });

  test(`${entry}: docs/API.md names every member of classes, interfaces and lists of options in their section`, () => {
    const described = exported.filter((each) => hasMembers(each) && !DESCRIBED_ELSEWHERE.has(each.name));
    expect(described.length).toBeGreaterThan(0);
    const unnamed = described.flatMap((each) => {
      const members = membersOf(each);
      expect(members, each.name).not.toEqual([]);
      const spans = spansOf(entry, each.name);
      return members.filter((member) => !spans.has(member)).map((member) => `${each.name}.${member}`);
    });
    expect(unnamed).toEqual([]);
  });
}

test('every page that docs/API.md points to exists', () => {
  const links = [...PAGE.matchAll(/\]\(([A-Z-]+\.md)/g)].map(([, page]) => page!);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((page) => !existsSync(join(ROOT, 'docs', page)))).toEqual([]);
});
