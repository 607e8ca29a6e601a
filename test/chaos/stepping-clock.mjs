// Loaded before a program (`node --import`): its wall clock steps by an hour, forwards and back, several times a second,
// as with a machine whose time is set.
const STEP_MS = 3_600_000;
const EACH_MS = 150;

const wallClock = Date.now.bind(Date);
const stepMs = () => (Math.floor(performance.now() / EACH_MS) % 2) * STEP_MS;
class SteppingDate extends Date {
  constructor(...given) {
    if (given.length === 0) super(wallClock() + stepMs());
    else super(...given);
  }

  static now() {
    return wallClock() + stepMs();
  }
}
globalThis.Date = SteppingDate;
