import { Failure } from '../io/os/failure.ts';
import { readReadyMadeTrace } from '../io/ready-made-traces.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { manyOf, parseScenario } from '../lab/scenario.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';

/**
 * Checks that a scenario sent by a page reads no file of this machine: an error message about a file could reveal its
 * content.
 * @param link of the demo, which may name a trace of the user's own.
 * @throws {Failure} that says what is wrong.
 */
export function checkPageScenario(text: string, { capacity, lossModel }: LinkSpecification): void {
  const own = [capacity?.name, lossModel?.kind === 'bitmap' ? lossModel.bitmap.name : undefined];
  const readTrace = (name: string) => (own.includes(name) ? readTraceFile(name) : readReadyMadeTrace(name));
  const { source } = parseScenario(text, 'the scenario', readTrace);
  if (manyOf(source).every((one) => !('file' in one))) return;
  throw new Failure('the scenario: a page can only use synthetic streams, not files');
}
