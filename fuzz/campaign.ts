import { Chance } from './chance.ts';
import { type FuzzInput, inputBytes } from './fuzz-input.ts';
import { type FuzzTarget, Observed, REASON } from './fuzz-target.ts';
import { mutateInput } from './mutate-input.ts';

/** Inputs kept; beyond, one that did something new takes the place of an old one. */
const CORPUS_MAX = 4_000;
const CANDIDATES = 3;
/** CPU time that an input may take, milliseconds; measured again before it counts, since the compiler uses some. */
const INPUT_MS_MAX = 1_000;
const SLOW_REPEATS = 3;
/** Different reasons that count as something new. */
const REASONS_MAX = 300;

/** An input on which a property does not hold. */
export interface Finding {
  readonly target: string;
  readonly input: FuzzInput;
  readonly message: string;
}

/** One target under mutation. The same seed gives the same inputs on every machine. */
export class Campaign {
  readonly #target: FuzzTarget;
  readonly #chance: Chance;
  readonly #corpus: FuzzInput[] = [];
  /** Costs of the inputs of the corpus, see `costOf`. */
  readonly #costs = new WeakMap<FuzzInput, number>();
  readonly #features = new Set<string>();
  readonly #observed = new Observed();
  #inputs = 0;
  #reasons = 0;

  private constructor(target: FuzzTarget, seed: number) {
    this.#target = target;
    this.#chance = new Chance(seed);
  }

  /** Starts with the target's own seeds and those of `corpus`; returns the first that fails, if one does. */
  static async open(
    target: FuzzTarget,
    { seed, corpus }: { readonly seed: number; readonly corpus: readonly FuzzInput[] },
  ): Promise<{ readonly campaign: Campaign; readonly findings: readonly Finding[] }> {
    const campaign = new Campaign(target, seed);
    const findings: Finding[] = [];
    for (const input of [...target.seeds(), ...corpus]) {
      const finding = await campaign.#try(input);
      if (finding) findings.push(finding);
      else if (!campaign.#corpus.includes(input)) campaign.#corpus.push(input);
    }
    return { campaign, findings };
  }

  /** Inputs run so far. */
  get inputs(): number {
    return this.#inputs;
  }

  /** Inputs that did something new, in the order in which they were found. */
  get corpus(): readonly FuzzInput[] {
    return this.#corpus;
  }

  get featureCount(): number {
    return this.#features.size;
  }

  /** Runs one new input; `before` is given it first. */
  async step(before?: (input: FuzzInput) => void): Promise<Finding | undefined> {
    const chance = this.#chance;
    const input = mutateInput(this.#pick(), {
      mutate: this.#target.mutate,
      other: chance.of(this.#corpus),
      chance,
    });
    before?.(input);
    return this.#try(input);
  }

  /** Half of the inputs start from recent discoveries; of three candidates, the cheapest one is taken. */
  #pick(): FuzzInput {
    const { length } = this.#corpus;
    const recent = Math.min(length, 50);
    const candidate = (): FuzzInput =>
      this.#corpus[this.#chance.oneIn(2) ? length - 1 - this.#chance.below(recent) : this.#chance.below(length)]!;
    let best = candidate();
    for (let others = CANDIDATES - 1; others > 0; others--) {
      const other = candidate();
      if (this.#cost(other) < this.#cost(best)) best = other;
    }
    return best;
  }

  #cost(input: FuzzInput): number {
    return this.#costs.get(input) ?? costOf(input);
  }

  async #try(input: FuzzInput): Promise<Finding | undefined> {
    this.#inputs++;
    this.#observed.clear();
    const target = this.#target.name;
    // The clock is read by a fast call, and CPU time, which is never more, only of inputs that seem slow.
    const start = performance.now();
    const message = await failureOf(this.#target, input, this.#observed);
    if (message !== undefined) return { target, input, message };
    if (performance.now() - start > INPUT_MS_MAX && (await this.#staysSlow(input))) {
      return { target, input, message: `took more than ${INPUT_MS_MAX} ms of CPU time` };
    }
    let isNew = false;
    for (const feature of this.#observed.features) {
      if (this.#features.has(feature)) continue;
      if (feature.startsWith(REASON) && ++this.#reasons > REASONS_MAX) continue;
      this.#features.add(feature);
      isNew = true;
    }
    if (isNew) {
      this.#costs.set(input, costOf(input) + this.#observed.work * BYTES_PER_STEP);
      if (this.#corpus.length >= CORPUS_MAX) this.#corpus.splice(this.#chance.below(CORPUS_MAX / 2), 1);
      this.#corpus.push(input);
    }
    return undefined;
  }

  async #staysSlow(input: FuzzInput): Promise<boolean> {
    for (let repeat = 0; repeat < SLOW_REPEATS; repeat++) {
      const start = processorTime();
      await this.#target.run(input, new Observed());
      if (processorTime() - start <= INPUT_MS_MAX) return false;
    }
    return true;
  }
}

/** Bytes of input that take about as long to run as a step of work. */
const BYTES_PER_STEP = 20;
/** Simulated time, milliseconds, that takes about as long to run as a byte of input. */
const PAUSE_MS_PER_BYTE = 2;

/** Estimates what an input costs to run, from its size and its pauses, so that it is the same on every machine. */
function costOf(input: FuzzInput): number {
  let pauses = 0;
  for (const { pause } of input.steps) pauses += pause;
  return inputBytes(input) + pauses / PAUSE_MS_PER_BYTE;
}

/** CPU time of the process, milliseconds. It has nothing else to do. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Runs an input; returns why it failed, or `undefined`. */
export async function failureOf(
  target: FuzzTarget,
  input: FuzzInput,
  observed: Observed = new Observed(),
): Promise<string | undefined> {
  try {
    await target.run(input, observed);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** Attempts of a minimization. */
const ATTEMPTS_MAX = 3_000;

/** Removes steps and bytes while the input still fails with the same message, its numbers aside. */
export async function minimize(target: FuzzTarget, { input, message }: Finding): Promise<FuzzInput> {
  const kind = withoutNumbers(message);
  let attempts = 0;
  let best = input;
  const tries = async (candidate: FuzzInput): Promise<boolean> => {
    if (inputBytes(candidate) >= inputBytes(best) || ++attempts > ATTEMPTS_MAX) return false;
    const failure = await failureOf(target, candidate);
    if (failure === undefined || withoutNumbers(failure) !== kind) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length; ) {
      if (!(await tries({ ...best, steps: best.steps.toSpliced(at, size) }))) at += size;
    }
  }
  for (let index = 0; index < best.steps.length; index++) {
    for (
      let size = Math.ceil(best.steps[index]!.bytes.length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < best.steps[index]!.bytes.length; ) {
        const { pause, bytes } = best.steps[index]!;
        const shorter = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + size)]);
        if (!(await tries({ ...best, steps: best.steps.with(index, { pause, bytes: shorter }) }))) at += size;
      }
    }
  }
  return best;
}

const withoutNumbers = (text: string): string => text.replaceAll(/[0-9]+/g, '#');
