import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { API, type Checker, type Symbol as Named, type Project, SymbolFlags } from 'typescript/unstable/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const CORE = 'index.d.ts';
const ENTRIES = [CORE, 'session/index.d.ts', 'lab/index.d.ts'];

let folder: string;
let compiler: API;
let project: Project;
let checker: Checker;

/** Reads the declarations that the package has, so that inferred types are written out and bodies are absent. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dropframe-declarations-'));
  const emit = ['-p', join(ROOT, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder];
  execFileSync(process.execPath, [COMPILER, ...emit], { stdio: 'pipe' });
  const typeRoots = [join(ROOT, 'node_modules/@types')];
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, types: ['node'], typeRoots };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ENTRIES }));
  compiler = new API({ cwd: folder });
  project = compiler.updateSnapshot({ openProjects: [join(folder, 'tsconfig.json')] }).getProjects()[0]!;
  checker = project.checker;
}, 300_000);
afterAll(() => {
  compiler.close();
  rmSync(folder, { recursive: true, force: true });
});

const targetOf = (symbol: Named): Named =>
  (symbol.flags & SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;

function exportsOf(entry: string): readonly Named[] {
  const file = project.program.getSourceFile(join(folder, entry))!;
  return checker.getExportsOfModule(checker.getSymbolAtLocation(file)!);
}

/** Name of a type in a declaration: of a reference or of a base. */
function typeNameOf(node: Node): Node | undefined {
  if (node.kind === SyntaxKind.TypeReference) return (node as Node & { typeName: Node }).typeName;
  if (node.kind === SyntaxKind.ExpressionWithTypeArguments) return (node as Node & { expression: Node }).expression;
  return undefined;
}

const isPrivate = (node: Node): boolean =>
  (node as Node & { modifiers?: readonly Node[] }).modifiers?.some(({ kind }) => kind === SyntaxKind.PrivateKeyword) ===
  true;

/** Types of this package that a declaration names. */
function typesIn(declaration: Node): Named[] {
  const found: Named[] = [];
  const visit = (node: Node): void => {
    if (isPrivate(node)) return;
    const name = typeNameOf(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    const target = symbol && targetOf(symbol);
    const isOurs = target?.declarations[0] && String(target.declarations[0].path).startsWith(folder);
    if (isOurs && (target.flags & SymbolFlags.TypeParameter) === 0) found.push(target);
    node.forEachChild(visit);
  };
  visit(declaration);
  return found;
}

test.for(ENTRIES)('%s: an exported signature names no type that is neither exported there nor by the core', (entry) => {
  const exported = exportsOf(entry);
  const known = new Set([...exported, ...exportsOf(CORE)].map((symbol) => targetOf(symbol).id));
  const unknown = new Set<string>();
  let types = 0;
  for (const symbol of exported) {
    for (const declaration of targetOf(symbol).declarations) {
      for (const type of typesIn(declaration.resolve(project)!)) {
        types++;
        if (!known.has(type.id)) unknown.add(`${type.name}, named by ${symbol.name}`);
      }
    }
  }
  expect(types).toBeGreaterThan(5);
  expect([...unknown]).toEqual([]);
});
