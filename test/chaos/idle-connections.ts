// Run by a story: `idle-connections PORT COUNT` opens connections that say nothing, opens each again that is closed, and
// prints `open` once all have been accepted.
import { connect } from 'node:net';
import { argv, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, count] = [Number(argv[2]), Number(argv[3])];
/** A closed connection is opened again after this time, milliseconds. */
const AGAIN_MS = 1_000;
const ATONCE = 50;

async function hold(onOpen: () => void): Promise<never> {
  for (;;) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', onOpen);
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
    await sleep(AGAIN_MS);
  }
}

let opened = 0;
for (let index = 0; index < count; index++) {
  let first = true;
  void hold(() => {
    if (first && ++opened === count) stdout.write('open\n');
    first = false;
  });
  if (index % ATONCE === ATONCE - 1) await sleep(10);
}
