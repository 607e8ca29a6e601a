import { z } from 'zod';
import { LATENCY_MS_MAX } from '../control/latency-limit.ts';
import { RECOVERIES } from '../control/recovery.ts';
import { LANES_MAX } from './lane-message.ts';

/** Longer than any link that is taken, characters: what is wrong with it is said, and not only that it is too long. */
const LINK_CHARACTERS_MAX = 1_000;

const Lane = z.strictObject({
  transport: z.enum(['udp', 'tcp']),
  recovery: z.enum(RECOVERIES),
  congestionControl: z.enum(['reno', 'cubic', 'bbr']),
  latencyMs: z.number().int().min(0).max(LATENCY_MS_MAX),
  onLoss: z.enum(['freeze', 'smear']),
});

const Command = z.discriminatedUnion('kind', [
  /** All of it, or nothing where a part is impossible. Of the lanes, those that stay as they are go on. */
  z.strictObject({
    kind: z.literal('settings'),
    lanes: z.array(Lane).min(1).max(LANES_MAX).optional(),
    link: z.string().max(LINK_CHARACTERS_MAX).optional(),
    source: z.string().min(1).max(256).optional(),
  }),
  /** The next so many packets of every lane are lost. */
  z.strictObject({ kind: z.literal('drop'), packets: z.number().int().min(1).max(1_000) }),
  /** Nothing comes through, either way, for so long. */
  z.strictObject({ kind: z.literal('freeze'), milliseconds: z.number().int().min(1).max(10_000) }),
  /** All lanes begin anew, and count from zero. */
  z.strictObject({ kind: z.literal('restart') }),
  z.strictObject({ kind: z.literal('stop') }),
]);

/** What the page asks of the lanes. */
export type LaneCommand = z.infer<typeof Command>;

/** `undefined`: no command. */
export function parseLaneCommand(text: string): LaneCommand | undefined {
  try {
    return Command.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
