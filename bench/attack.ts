/**
 * Peers that do all they can to starve the others: `attack KIND TARGET [low]`, until SIGINT, with a `StormTarget` in JSON, and a
 * low priority if told. Prints `ready` when the attack has begun, and at its end how much of it was made.
 */
import { getPriority, setPriority } from 'node:os';
import { argv, exit, stdout } from 'node:process';
import { CONNECTION_STORMS } from './storms/connection-storms.ts';
import { DATAGRAM_STORMS } from './storms/datagram-storms.ts';
import { FEEDBACK_STORMS } from './storms/feedback-storms.ts';
import { PLAYER_STORMS } from './storms/player-storms.ts';
import type { Storm, StormTarget } from './storms/storm-target.ts';

const [, , kind = '', json = '', priority] = argv;
// Takes the cores from nobody that is measured.
if (priority === 'low') setPriority(Math.min(19, getPriority() + 8));
const target: StormTarget = JSON.parse(json);
let made = 0;
let turn = 0;
const storm: Storm = {
  target,
  next: () => {
    const localAddress = target.addresses[turn++ % target.addresses.length];
    return localAddress === undefined ? target : { ...target, localAddress };
  },
  count: () => {
    made++;
  },
};
const KINDS: Readonly<Record<string, (storm: Storm) => Promise<void>>> = {
  none: async () => {},
  ...FEEDBACK_STORMS,
  ...CONNECTION_STORMS,
  ...DATAGRAM_STORMS,
  ...PLAYER_STORMS,
};

process.once('SIGINT', () => {
  stdout.write(`made ${made}\n`, () => exit(0));
});
// A refusal or a reset is what an attack may expect.
process.on('unhandledRejection', () => {});
await KINDS[kind]!(storm);
stdout.write('ready\n');
setInterval(() => {}, 1_000);
