import type { Chance } from './chance.ts';
import { type FuzzInput, type FuzzStep, INPUT_BYTES_MAX, inputBytes } from './fuzz-input.ts';

/** Changes the bytes of one step; knows the target's format. */
export type StepMutation = (bytes: Uint8Array, chance: Chance) => Uint8Array;

const MUTATIONS_MAX = 6;
const PAUSES_MS = [0, 0, 1, 5, 33, 100, 500, 3_000] as const;
/** Pauses in which timers expire and numbers grow; rare, as they take as long as hundreds of other inputs. */
const LONG_PAUSES_MS = [60_000, 5_000_000] as const;
const LONG_PAUSE_ONE_IN = 40;
const STEPS_MAX = 600;

/** Returns a changed copy of an input: a few changes of its steps, their order, their times and the choices. */
export function mutateInput(
  input: FuzzInput,
  { mutate, other, chance }: { readonly mutate: StepMutation; readonly other: FuzzInput; readonly chance: Chance },
): FuzzInput {
  let { choices } = input;
  let steps = input.steps;
  for (let changes = chance.small(MUTATIONS_MAX) + 1; changes > 0; changes--) {
    if (chance.oneIn(12)) choices ^= 1 << chance.below(32);
    else if (steps.length <= 1 || chance.below(10) < 6) steps = withMutatedStep(steps, mutate, chance);
    else steps = reordered(steps, other.steps, chance);
  }
  const mutated = { choices: choices >>> 0, steps: steps.slice(0, STEPS_MAX) };
  return inputBytes(mutated) > INPUT_BYTES_MAX ? input : mutated;
}

function withMutatedStep(steps: readonly FuzzStep[], mutate: StepMutation, chance: Chance): readonly FuzzStep[] {
  const at = chance.below(steps.length);
  const { pause, bytes } = steps[at] ?? { pause: 0, bytes: new Uint8Array(0) };
  return steps.length === 0
    ? [{ pause, bytes: mutate(bytes, chance) }]
    : steps.with(at, { pause, bytes: mutate(bytes, chance) });
}

/** Drops, repeats, swaps, moves or delays steps, or takes some of another input. */
function reordered(steps: readonly FuzzStep[], other: readonly FuzzStep[], chance: Chance): readonly FuzzStep[] {
  const at = chance.below(steps.length);
  const step = steps[at]!;
  switch (chance.below(7)) {
    case 0:
      return steps.toSpliced(at, chance.small(8) + 1);
    case 1:
      return steps.toSpliced(at, 0, step);
    case 2: {
      const to = chance.below(steps.length);
      return steps.with(at, steps[to]!).with(to, step);
    }
    case 3:
      return steps.toSpliced(at, 1).toSpliced(chance.below(steps.length), 0, step);
    case 4:
      return steps.with(at, {
        pause: chance.of(chance.oneIn(LONG_PAUSE_ONE_IN) ? LONG_PAUSES_MS : PAUSES_MS),
        bytes: step.bytes,
      });
    case 5: {
      const from = chance.below(other.length);
      return steps.toSpliced(at, chance.below(2), ...other.slice(from, from + chance.small(20) + 1));
    }
    default:
      // A storm: one step many times at once.
      return steps.toSpliced(at, 0, ...Array.from({ length: chance.small(100) }, () => ({ ...step, pause: 0 })));
  }
}
