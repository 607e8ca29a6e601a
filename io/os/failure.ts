/** Exit codes: 1 the run failed, 2 usage error, 3 a required tool is missing. */
export type FailureExitCode = 1 | 2 | 3;

/** Further properties of a `Failure`. */
export interface FailureOptions {
  /** The error behind it. */
  readonly cause?: unknown;
  /** Findings of equal rank, one line each below the message. */
  readonly findings?: readonly string[];
}

/**
 * An error that is not a bug and that the user can act on. Its message is one line: what is wrong, where, what to do.
 * Several findings follow it, one indented line each. The command prints it without a stack trace and exits with
 * `exitCode`.
 */
export class Failure extends Error {
  readonly exitCode: FailureExitCode;
  /** The whole message in one line, for a log or a page. */
  readonly inOneLine: string;

  constructor(message: string, exitCode: FailureExitCode = 1, { findings = [], ...options }: FailureOptions = {}) {
    const [head, ...lines] = [message, ...findings].map(oneLine) as [string, ...string[]];
    super([head, ...lines.map((line) => `  ${line}`)].join('\n'), options);
    this.name = 'Failure';
    this.exitCode = exitCode;
    this.inOneLine = lines.length === 0 ? head : `${head} ${lines.join('; ')}`;
  }
}

/** Descriptions of operating system errors; other errors keep their own message. */
const CAUSES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file with this name exists',
  EFBIG: 'the file is too large for its file system',
  EISDIR: 'it is a directory',
  EMFILE: 'too many files are open: raise the limit, such as with `ulimit -n 1024`',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'there is no such file or directory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
};

/** Returns the operating system's reason in a few words. */
export function causeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== undefined && Object.hasOwn(CAUSES, code)) return CAUSES[code] as string;
  if (error instanceof Failure) return error.inOneLine;
  return oneLine(error instanceof Error ? error.message : String(error));
}

/** Removes control characters of file names and tool output, which would break the line or the terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
