import { Failure } from '../io/os/failure.ts';
import { readReadyMadeTrace } from '../io/ready-made-traces.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { manyOf, parseScenario } from '../lab/scenario.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';

/**
 * An experiment that a page asks for may read no file of this machine: what the laboratory says of one that it cannot
 * use would tell what is in it.
 * @param link that the demo was given, which may have a trace of its user's own.
 * @throws {Failure} with what is wrong.
 */
export function checkPageScenario(text: string, { capacity, lossModel }: LinkSpecification): void {
  const own = [capacity?.name, lossModel?.kind === 'bitmap' ? lossModel.bitmap.name : undefined];
  const readTrace = (name: string) => (own.includes(name) ? readTraceFile(name) : readReadyMadeTrace(name));
  const { source } = parseScenario(text, 'the scenario', readTrace);
  if (manyOf(source).every((one) => 'synthetic' in one)) return;
  throw new Failure('the scenario: a page can ask about synthetic streams alone, and about no file');
}
