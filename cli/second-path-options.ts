import { type Command, Option } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import { TWO_PATH_USES, type TwoPathUse } from '../protocol/control/two-path-use.ts';
import type { UsedSecondPath } from '../session/stream/second-path.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { readLink } from './options.ts';

/** Options of a second path, as they were given. */
export interface SecondPathOptions {
  readonly secondPath?: string;
  readonly paths: TwoPathUse;
  readonly secondLink?: LinkSpecification;
}

export function addSecondPathOptions(command: Command): Command {
  return command
    .optionsGroup('Second path:')
    .addOption(
      new Option(
        '--second-path <address>',
        'address of this machine from which a second path leads to the sender, such as that of a mobile modem (udp)',
      ),
    )
    .addOption(
      new Option(
        '--paths <use>',
        'use of both paths: everything by both (duplicate), each packet by one (split), or by one with repair packets ' +
          'against the failure of a path where a request cannot be answered in time (coded)',
      )
        .choices(TWO_PATH_USES)
        .default('coded'),
    )
    .addOption(
      new Option('--second-link <text>', 'impairments of the second path, as --link of the first').argParser(readLink),
    );
}

/** Returns the second path of the options; `undefined` without. @throws {Failure} for options that exclude each other. */
export async function secondPathOf(
  { secondPath, paths, secondLink }: SecondPathOptions,
  {
    given,
    isForeign,
    transport,
  }: { readonly given: (name: string) => boolean; readonly isForeign: boolean; readonly transport: string },
): Promise<UsedSecondPath | undefined> {
  if (secondPath === undefined) {
    const alone = given('paths') ? '--paths' : secondLink && '--second-link';
    if (alone) throw new Failure(`${alone} applies to a second path: give its address as --second-path`, 2);
    return undefined;
  }
  if (isForeign) throw new Failure('plain RTP and RIST have one path: --second-path is for dropframe:// only', 2);
  // Imported when used: --help loads this file.
  const { checkSecondPath } = await import('../session/stream/second-path.ts');
  const names = { from: '--second-path', use: '--paths', transport: '--transport tcp' };
  try {
    return checkSecondPath({ from: secondPath, use: paths, link: secondLink }, transport, names);
  } catch (error) {
    throw new Failure(causeOf(error), 2);
  }
}
