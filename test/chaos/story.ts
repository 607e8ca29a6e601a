import { test } from 'vitest';
import { STORY_MS } from './namespaced-story.ts';
import { Stage } from './stage.ts';

/** Runs a story, and ends everything that it started. */
export async function onStage(run: (on: Stage) => Promise<void>): Promise<void> {
  const on = new Stage();
  try {
    await run(on);
  } finally {
    on.end();
  }
}

/** A test with real processes. Several run at a time, as most of them wait. */
export function story(name: string, run: (on: Stage) => Promise<void>): void {
  test.concurrent(name, () => onStage(run), STORY_MS);
}
