/** What commands of a page change. */
type Part = 'lanes' | 'link' | 'source';

/**
 * Order of settings commands, some of which wait for the machine or for a file: an older command does not undo what a
 * newer one has changed meanwhile.
 */
export class SettingsOrder {
  #count = 0;
  readonly #changedBy: Record<Part, number> = { lanes: 0, link: 0, source: 0 };

  /** Returns the number of a command that has arrived. */
  next(): number {
    return ++this.#count;
  }

  /** True when a newer command has changed this part. */
  isOvertaken(command: number, part: Part): boolean {
    return command < this.#changedBy[part];
  }

  /** Returns true, and remembers the change, when a command may change this part. */
  admits(command: number, part: Part): boolean {
    if (this.isOvertaken(command, part)) return false;
    this.#changedBy[part] = command;
    return true;
  }
}
