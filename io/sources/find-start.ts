import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { Failure } from '../os/failure.ts';
import { EntryGate } from './entry-gate.ts';
import type { Recipe, StartPlace, UnitStream } from './recipe.ts';

/**
 * Returns a factory of passes that start at a place: at the key frame at or before it, with times that count from the place,
 * and the pictures before it not shown.
 * @throws {Failure} when nothing is shown from there on.
 */
export async function findStart(recipe: Recipe, place: StartPlace): Promise<() => UnitStream> {
  const { durationSeconds } = recipe;
  if (durationSeconds !== undefined && place.at >= durationSeconds * CLOCK_RATE) {
    throw isBeyondEnd(recipe.name, place.at, durationSeconds);
  }
  const { openAt } = recipe;
  const open = openAt ? () => fromZero(openAt(place, new EntryGate())) : await openAtKey(recipe, place.at);
  const tried = open();
  try {
    for await (const unit of tried.units) if (unit.decodeOnly !== true) return open;
  } finally {
    await tried.close();
  }
  throw isBeyondEnd(recipe.name, place.at, durationSeconds);
}

/** The error of a start behind the end of an input. @param at 90 kHz. */
export function isBeyondEnd(name: string, at: Ticks, durationSeconds: number | undefined): Failure {
  const length = durationSeconds === undefined ? 'it ends before that' : `it is ${durationSeconds.toFixed(1)} s long`;
  return new Failure(`${name} cannot start at ${(at / CLOCK_RATE).toFixed(1)} s: ${length}`, 2);
}

/** Moves the times back by which a pass has moved its first picture, which is not the one at the place. */
function fromZero({ gate, units, close }: UnitStream): UnitStream {
  const timed = async function* () {
    for await (const unit of units) yield shifted(unit, gate.startsAt ?? ticks(0));
  };
  return { gate, units: timed(), close };
}

/** Reads a source that cannot be searched from its beginning, and counts its key frames. */
async function openAtKey(recipe: Recipe, at: Ticks): Promise<() => UnitStream> {
  let keys = -1;
  let shownAt = ticks(0);
  const counted = recipe.open(new EntryGate());
  try {
    for await (const { importance, timestamp, decodeTimestamp } of counted.units) {
      // A key frame is shown before everything that is decoded after it and does not refer to what was before it.
      if (decodeTimestamp > at) break;
      if (importance !== 'key' || timestamp > at) continue;
      keys += 1;
      shownAt = timestamp;
    }
  } finally {
    await counted.close();
  }
  return () => {
    const gate = new EntryGate(Math.max(0, keys));
    const pass = recipe.open(gate);
    return { gate, units: startedAt(pass.units, ticks(at - shownAt)), close: () => pass.close() };
  };
}

/** Moves the first unit, a key frame, to `lead` before 0. */
async function* startedAt(units: AsyncGenerator<AccessUnit>, lead: Ticks): AsyncGenerator<AccessUnit> {
  let offset: number | undefined;
  for await (const each of units) {
    offset ??= each.timestamp + lead;
    const unit = shifted(each, ticks(-offset));
    if (unit.timestamp >= 0) yield unit;
    else if (unit.importance !== 'discardable') yield { ...unit, decodeOnly: true };
  }
}
