import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Campaign, type Finding, minimize } from './campaign.ts';
import { readCorpus } from './corpus.ts';
import { type FuzzInput, INPUT_BYTES_MAX, inputBytes, serializeInput, writeInput } from './fuzz-input.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { FUZZ_TARGETS } from './fuzz-targets.ts';

/** Input of a worker. */
export interface FuzzJob {
  readonly target: string;
  readonly seed: number;
  readonly milliseconds: number;
  /** The input under way, in case it hangs: its number, its length, its bytes. */
  readonly current: SharedArrayBuffer;
}

/** Result of a worker. */
export interface FuzzResult {
  readonly inputs: number;
  readonly features: number;
  readonly findings: readonly { readonly message: string; readonly input: Uint8Array }[];
  readonly corpus: readonly FuzzInput[];
}

export const CURRENT_BYTES = 8 + INPUT_BYTES_MAX;
/** Different findings of one campaign; further ones are most often the same fault. */
const FINDINGS_MAX = 10;
const TURN_MS = 20;

if (parentPort) parentPort.postMessage(await work(workerData as FuzzJob));

async function work({ target: name, seed, milliseconds, current }: FuzzJob): Promise<FuzzResult> {
  const target = FUZZ_TARGETS.find((each) => each.name === name)!;
  const numbers = new Int32Array(current, 0, 2);
  const bytes = new Uint8Array(current, 8);
  const show = (input: FuzzInput): void => {
    writeInput(input, bytes);
    numbers[1] = inputBytes(input);
    Atomics.add(numbers, 0, 1);
  };
  const found = new Map<string, Finding>();
  const keep = (finding: Finding): void => {
    const kind = finding.message.replaceAll(/[0-9]+/g, '#');
    if (found.size < FINDINGS_MAX && !found.has(kind)) found.set(kind, finding);
  };
  const { campaign, findings } = await Campaign.open(target, { seed, corpus: readCorpus(name) });
  findings.forEach(keep);
  const end = performance.now() + milliseconds;
  for (let turnEnd = 0; performance.now() < end; ) {
    // Timers and finalizers of the code under test have their turn now and then.
    if (performance.now() >= turnEnd) {
      await nextTurn();
      turnEnd = performance.now() + TURN_MS;
    }
    const finding = await campaign.step(show);
    if (finding) keep(finding);
  }
  const minimal: { message: string; input: Uint8Array }[] = [];
  const watched: FuzzTarget = {
    ...target,
    run: (input, observed) => {
      Atomics.add(numbers, 0, 1);
      return target.run(input, observed);
    },
  };
  for (const finding of found.values()) {
    minimal.push({ message: finding.message, input: serializeInput(await minimize(watched, finding)) });
  }
  return { inputs: campaign.inputs, features: campaign.featureCount, findings: minimal, corpus: campaign.corpus };
}
