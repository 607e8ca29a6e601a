import { isIP } from 'node:net';
import { checkChoice } from '../../protocol/base/option-checks.ts';
import { TWO_PATH_USES, type TwoPathUse } from '../../protocol/control/two-path-use.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';

/** Second path of a receiver, from another of its addresses to the same sender. */
export interface SecondPath {
  /** Address of this machine from which the path leads to the sender. */
  readonly from: string;
  /** Link that impairs the path; `undefined` without. */
  readonly link: LinkSpecification | undefined;
}

/** A second path, and the use of both. */
export type UsedSecondPath = SecondPath & { readonly use: TwoPathUse };

/**
 * Checks a second path, and returns it. @param names of the options in an error, such as `--second-path`.
 * @throws {RangeError} when the option that it names cannot apply.
 */
export function checkSecondPath(
  path: UsedSecondPath,
  transport: string,
  names: { readonly from: string; readonly use: string; readonly transport: string },
): UsedSecondPath {
  if (isIP(path.from) === 0) {
    throw new RangeError(`${names.from} is an IP address of this machine, such as 192.168.8.20, not '${path.from}'`);
  }
  if (transport === 'tcp') throw new RangeError(`${names.from} is for UDP: leave out ${names.transport}`);
  checkChoice(names.use, path.use, TWO_PATH_USES);
  return path;
}
