import { readFileSync } from 'node:fs';
import { Failure } from '../io/os/failure.ts';

/** Stands for bytes that are not UTF-8 once they are decoded. */
const REPLACEMENT = '\ufffd';

/**
 * Refuses arguments that are not UTF-8. Node has decoded them with loss: a file of that name is not found, and one that
 * is written gets another name.
 *
 * @param commandLine bytes of the arguments, each ended by 0; `undefined` when unknown.
 * @throws {Failure} that shows the argument as a shell writes it.
 */
export function refuseUndecodable(argv: readonly string[], commandLine: () => Uint8Array | undefined): void {
  const decoded = argv.find((argument) => argument.includes(REPLACEMENT));
  if (decoded === undefined) return;
  const line = commandLine();
  const argument = line === undefined ? decoded : undecodableOf(line);
  // The character itself may be a part of a name.
  if (argument === undefined) return;
  throw new Failure(
    `${argument} is not UTF-8, so the name cannot be used: rename the file or make a link to it, such as with ln -s`,
    2,
  );
}

/** Bytes of this process's arguments, where the operating system tells them. */
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

/** `$'caf\xe9'`: what bash, zsh and ksh take for these bytes. */
function quoted(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  return `$'${text}'`;
}
