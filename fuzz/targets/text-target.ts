import type { FuzzInput } from '../fuzz-input.ts';
import type { FuzzTarget, Observed } from '../fuzz-target.ts';
import { mutateText, type TextMutation } from '../mutate-text.ts';

const TEXT_BYTES_MAX = 40_000;
const encoder = new TextEncoder();

interface TextTarget {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly mutate?: TextMutation;
  readonly read: (text: string, observed: Observed) => void | Promise<void>;
}

/** A target that reads one text. */
export const textTarget = ({ name, seeds, mutate = mutateText, read }: TextTarget): FuzzTarget => ({
  name,
  seeds: () => seeds.map((text): FuzzInput => ({ choices: 0, steps: [{ pause: 0, bytes: encoder.encode(text) }] })),
  mutate,
  run: ({ steps }, observed) => {
    const bytes = steps[0]?.bytes;
    return bytes && bytes.length <= TEXT_BYTES_MAX ? read(Buffer.from(bytes).toString('utf8'), observed) : undefined;
  },
});
