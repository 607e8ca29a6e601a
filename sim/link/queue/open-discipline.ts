import { Codel } from './codel.ts';
import { DualPi2 } from './dual-pi2.ts';
import { FqCodel } from './fq-codel.ts';
import type { DisciplineOptions, QueueDiscipline } from './queue-discipline.ts';

/** Returns an empty queue with these parameters. */
export function openDiscipline(options: DisciplineOptions): QueueDiscipline {
  switch (options.kind) {
    case 'codel':
      return new Codel(options);
    case 'fq-codel':
      return new FqCodel(options);
    case 'dualpi2':
      return new DualPi2(options);
    default:
      return options satisfies never;
  }
}
