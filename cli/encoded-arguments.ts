import { readFileSync } from 'node:fs';
import { Failure } from '../io/os/failure.ts';

/** Replacement character of a UTF-8 decoder for invalid bytes. */
const REPLACEMENT = '\ufffd';

/**
 * Refuses arguments that are not UTF-8. Node decodes them with loss, so an existing file is not found, and a new file
 * gets another name.
 *
 * @param commandLine bytes of the arguments, each ended by 0; `undefined` when unknown.
 * @throws {Failure} with the argument in shell syntax.
 */
export function refuseUndecodable(argv: readonly string[], commandLine: () => Uint8Array | undefined): void {
  const decoded = argv.find((argument) => argument.includes(REPLACEMENT));
  if (decoded === undefined) return;
  const line = commandLine();
  const argument = line === undefined ? decoded : undecodableOf(line);
  // A valid name may contain the replacement character itself.
  if (argument === undefined) return;
  throw new Failure(
    `${argument} is not UTF-8, so the name cannot be used: rename the file or make a link to it, such as with ln -s`,
    2,
  );
}

/** Returns the bytes of this process's arguments, or `undefined` when the operating system does not expose them. */
export function ownCommandLine(): Uint8Array | undefined {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
}

function undecodableOf(line: Uint8Array): string | undefined {
  for (let begin = 0; begin < line.length; ) {
    const end = line.indexOf(0, begin);
    const argument = line.subarray(begin, end < 0 ? line.length : end);
    begin += argument.length + 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(argument);
    } catch {
      return quoted(argument);
    }
  }
  return undefined;
}

/** Returns the bytes in the quoting of bash, zsh and ksh, such as `$'caf\xe9'`. */
function quoted(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  return `$'${text}'`;
}
