import type { Chance } from './chance.ts';
import { mutateBytes } from './mutate-bytes.ts';

const NUMBERS = [
  '0',
  '-1',
  '1',
  '255',
  '256',
  '65535',
  '65536',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '9e15',
  '1e309',
  '-0',
  '0.1',
  'NaN',
  '1e-320',
  '00',
  '٣',
] as const;
const WORDS = [
  '__proto__',
  'constructor',
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  '%s',
  ' ',
  '',
] as const;
const TOKEN = /[-+]?[0-9]+(?:\.[0-9]+)?|[A-Za-z_-]+|[^\sA-Za-z0-9]/g;
const REPEATED_CHARACTERS_MAX = 20_000;

export type TextMutation = (bytes: Uint8Array, chance: Chance) => Uint8Array;

/** Changes words, numbers and lines of a text. */
export function mutateText(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(5)) return mutateBytes(bytes, chance);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const token = tokenIn(text, chance);
  if (!token) return Buffer.from(chance.of(WORDS));
  const before = text.slice(0, token.index);
  const after = text.slice(token.index + token[0].length);
  switch (chance.below(7)) {
    case 0:
      return Buffer.from(before + chance.of(NUMBERS) + after);
    case 1:
      return Buffer.from(before + chance.of(WORDS) + after);
    case 2:
      return Buffer.from(before + after);
    case 3:
      return Buffer.from(before + token[0] + token[0] + after);
    case 4:
      return Buffer.from(before + tokenIn(text, chance)![0] + after);
    case 5: {
      const lines = text.split('\n');
      const line = lines[chance.below(lines.length)]!;
      lines.splice(chance.below(lines.length + 1), chance.below(2), line);
      return Buffer.from(lines.join('\n'));
    }
    default: {
      const count = Math.min(chance.small(5_000) + 1, Math.floor(REPEATED_CHARACTERS_MAX / token[0].length));
      return Buffer.from(before + token[0].repeat(count) + after);
    }
  }
}

const TOKEN_CHARACTER = /[\w.+-]/;
const TOKEN_CHARACTERS_MAX = 64;

/** Finds a word, number or sign near a random place; to split the whole text takes longer than most targets run. */
function tokenIn(text: string, chance: Chance): RegExpExecArray | null {
  let at = chance.below(text.length);
  for (let back = 0; at > 0 && back < TOKEN_CHARACTERS_MAX && TOKEN_CHARACTER.test(text[at - 1]!); back++) at--;
  TOKEN.lastIndex = at;
  const found = TOKEN.exec(text);
  if (found) return found;
  TOKEN.lastIndex = 0;
  return TOKEN.exec(text);
}

/** Keys and values that JSON allows and a message does not. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  9_007_199_254_740_991,
  0.5,
  '',
  'x'.repeat(5_000),
  [],
  {},
  [[[[[[]]]]]],
  Array(500).fill(0),
  { __proto__: 1 },
];

/** Changes one value, key or member of a JSON text; other texts by `mutateText`. */
export function mutateJson(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(4)) return mutateText(bytes, chance);
  try {
    const root = { value: JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown };
    const places = placesIn(root);
    const { holder, key } = chance.of(places);
    switch (chance.below(4)) {
      case 0:
        delete holder[key];
        break;
      case 1:
        holder[`${key}${chance.below(3)}`] = holder[key];
        break;
      case 2: {
        const other = chance.of(places);
        holder[key] = structuredClone(other.holder[other.key]);
        break;
      }
      default:
        holder[key] = chance.of(VALUES);
    }
    return Buffer.from(JSON.stringify(root.value) ?? '');
  } catch {
    return mutateText(bytes, chance);
  }
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: object, found: Place[] = []): Place[] {
  for (const [key, member] of Object.entries(value)) {
    found.push({ holder: value as Record<string, unknown>, key });
    if (typeof member === 'object' && member !== null) placesIn(member, found);
  }
  return found;
}
