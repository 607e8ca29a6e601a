import { z } from 'zod';
import { LATENCY_MS_MAX } from '../control/latency-limit.ts';
import { RECOVERIES } from '../control/recovery.ts';
import { LANES_MAX } from './lane-message.ts';

/**
 * Maximum length of a link, in characters. Longer than any valid link, so that a mistake is reported as such and not as
 * excessive length.
 */
const LINK_CHARACTERS_MAX = 1_000;

const Lane = z.strictObject({
  transport: z.enum(['udp', 'tcp']),
  recovery: z.enum(RECOVERIES),
  congestionControl: z.enum(['reno', 'cubic', 'bbr']),
  latencyMs: z.number().int().min(0).max(LATENCY_MS_MAX),
  onLoss: z.enum(['freeze', 'smear']),
  follows: z.boolean().optional(),
  kernel: z.boolean().optional(),
});

const Command = z.discriminatedUnion('kind', [
  /** Settings are applied atomically. Lanes whose settings do not change continue without a restart. */
  z.strictObject({
    kind: z.literal('settings'),
    lanes: z.array(Lane).min(1).max(LANES_MAX).optional(),
    link: z.string().max(LINK_CHARACTERS_MAX).optional(),
    source: z.string().min(1).max(256).optional(),
  }),
  /** Lose the next `packets` packets of every lane. */
  z.strictObject({ kind: z.literal('drop'), packets: z.number().int().min(1).max(1_000) }),
  /** Lose everything in both directions for this long. */
  z.strictObject({ kind: z.literal('freeze'), milliseconds: z.number().int().min(1).max(10_000) }),
  /** Restart all lanes, with all counts at zero. */
  z.strictObject({ kind: z.literal('restart') }),
  z.strictObject({ kind: z.literal('stop') }),
  /** The window has handled this many `events` messages since the previous command of this kind. */
  z.strictObject({ kind: z.literal('seen'), messages: z.number().int().min(1).max(10_000) }),
  /** The window has given up the pictures of a lane that wait in it, and continues from the newest. */
  z.strictObject({
    kind: z.literal('rejoin'),
    lane: z
      .number()
      .int()
      .min(0)
      .max(LANES_MAX - 1),
  }),
]);

/** Commands from the page to the lanes. */
export type LaneCommand = z.infer<typeof Command>;

/** Returns `undefined` when the text is not a command. */
export function parseLaneCommand(text: string): LaneCommand | undefined {
  try {
    return Command.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
