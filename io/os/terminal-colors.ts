/** Meaning of a piece of text, which decides its color. */
export type TerminalTone = 'bad' | 'caution' | 'good' | 'faint';

/** SGR parameters (ECMA-48 §8.3.117). */
const PARAMETERS: Readonly<Record<TerminalTone, string>> = { bad: '31;1', caution: '33', good: '32', faint: '2' };

interface Terminal {
  readonly isTTY?: boolean;
  hasColors?(count: number, env: NodeJS.ProcessEnv): boolean;
}

/** True when a stream is a terminal with colors and the user has not turned them off (https://no-color.org). */
export function hasColors(stream: Terminal, env: NodeJS.ProcessEnv = process.env): boolean {
  const refused = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return stream.isTTY === true && !refused && stream.hasColors?.(8, env) === true;
}

/** Returns a text in the color of its tone. */
export const toned = (text: string, tone: TerminalTone): string => `\x1b[${PARAMETERS[tone]}m${text}\x1b[0m`;
