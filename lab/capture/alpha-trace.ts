import { z } from 'zod';
import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';

const MS_MAX = 86_400_000;
const KBPS_MAX = 1_000_000;

const pattern = z.object({
  duration: z.number().int().positive().max(MS_MAX),
  capacity: z.number().nonnegative().max(KBPS_MAX),
  loss: z.number().min(0).max(1, { error: 'expected a share from 0 to 1' }).default(0),
  rtt: z.number().min(0).max(60_000).default(0),
  jitter: z.number().min(0).max(60_000).default(0),
});

/** A span of AlphaRTC's trace: milliseconds, kilobits per second, a share, and milliseconds. */
export type AlphaPattern = z.infer<typeof pattern>;

const side = z.object({ trace_pattern: z.array(pattern).max(100_000).default([]) }).default({ trace_pattern: [] });
const schema = z.object({ uplink: side, downlink: side });

/** Reads AlphaRTC's JSON. A trace of one direction is used whatever the direction asked for. */
export function readAlphaPatterns(
  text: string,
  direction: 'down' | 'up',
): Parsed<{ readonly patterns: readonly AlphaPattern[]; readonly usedDirection: 'down' | 'up' }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed('it begins like JSON and is none');
  }
  const read = schema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return malformed(`${issue?.path.join('.') || 'AlphaRTC'}: ${issue?.message}`);
  }
  const [asked, other] = direction === 'down' ? (['down', 'up'] as const) : (['up', 'down'] as const);
  for (const usedDirection of [asked, other]) {
    const patterns = read.data[`${usedDirection}link`].trace_pattern;
    if (patterns.length > 0) return parsed({ patterns, usedDirection });
  }
  return malformed('it has no trace_pattern of uplink or downlink');
}
