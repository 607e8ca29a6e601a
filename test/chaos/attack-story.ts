// Run by a test in namespaces of its own: `attack-story NAME SECURITY [COUNT]` puts an attacker between a sender and a receiver in networks
// of their own, and prints what came of it.
import { readFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';
import { seededRandom } from '../seeded-random.ts';
import { type Captured, payloadOf, reset, withPayload } from './ip-forgery.ts';
import { type Attack, PathAttacker, SENDER_ADDRESS, type Way } from './path-attacker.ts';
import { CLIP, type Receiver, Stage } from './stage.ts';

const random = seededRandom(16);
const below = (bound: number): number => Math.floor(random() * bound);

/** Names of the stream and of messages, and 24 bytes of each tenth kilobyte of the film. */
function secrets(): Buffer[] {
  const film = readFileSync(CLIP);
  const places = Array.from({ length: 60 }, (_, index) => 5_000 + index * 10_000);
  const texts = ['counter.h264', 'avc1.42c01e', 'welcome', 'keep-alive', 'statistics'];
  return [...texts.map((text) => Buffer.from(text)), ...places.map((at) => film.subarray(at, at + 24))];
}

function flipped(payload: Uint8Array): Uint8Array {
  const changed = payload.slice();
  if (changed.length > 0) changed[below(changed.length)]! ^= 1 << below(8);
  return changed;
}

/** Datagrams that may be replayed. */
const EARLIER_MAX = 2_000;
/** Rounds of forgeries for each datagram of a flood. */
const FLOOD_ROUNDS = 12;

/** Forgeries of a datagram: flipped, cut, longer, renumbered, with another SSRC, noise; goodbyes; replays; reflections. */
class DatagramForger {
  made = 0;
  /** Rounds of forgeries for each datagram. */
  readonly #rounds: number;
  readonly #earlier: Record<Way, Captured[]> = { 'to-sender': [], 'to-receiver': [] };
  #held: Uint8Array | undefined;

  constructor(rounds = 1) {
    this.#rounds = rounds;
  }

  readonly attack: Attack = (captured, way) => {
    const earlier = this.#earlier[way];
    earlier.push(captured);
    if (earlier.length > EARLIER_MAX) earlier.shift();
    const forgeries: Uint8Array[] = [];
    for (let round = 0; round < this.#rounds; round++) forgeries.push(...this.#forged(captured, way));
    this.made += forgeries.length;
    const half = below(forgeries.length);
    return [...forgeries.slice(0, half), ...this.#reordered(captured.packet), ...forgeries.slice(half)];
  };

  #forged(captured: Captured, way: Way): Uint8Array[] {
    const payload = payloadOf(captured);
    const earlier = this.#earlier[way];
    const renumbered = payload.slice();
    if (payload.length > 4) renumbered[3]! += 1 + below(200);
    const foreign = payload.slice();
    if (payload.length > 12) foreign[11]! ^= 1;
    const noise = payload.map((byte, at) => (at < 12 ? byte : below(256)));
    // RTCP goodbye (RFC 3550 §6.6) of the media's SSRC.
    const goodbye = Uint8Array.of(0x81, 203, 0, 1, ...payload.subarray(8, 12));
    const forgeries = [
      ...[flipped(payload), renumbered, foreign, noise, payload.slice(0, below(payload.length)), goodbye],
      Uint8Array.of(...payload, 0),
    ].map((bytes) => withPayload(captured, bytes));
    const replayed = earlier[below(earlier.length)]!;
    const reflected = this.#earlier[way === 'to-sender' ? 'to-receiver' : 'to-sender'].at(-1);
    forgeries.push(withPayload(captured, payloadOf(replayed)));
    if (reflected) forgeries.push(withPayload(captured, payloadOf(reflected)));
    return forgeries;
  }

  /** Every eighth packet leaves after the one behind it. */
  #reordered(packet: Uint8Array): Uint8Array[] {
    const held = this.#held;
    this.#held = undefined;
    if (held) return [packet, held];
    if (below(8) > 0) return [packet];
    this.#held = packet;
    return [];
  }
}

/** Copies of segments that TCP has to refuse: of old ones, changed after the genuine one, cut, and resets out of its window. */
function segmentForger(): Attack {
  const earlier: Record<Way, Uint8Array[]> = { 'to-sender': [], 'to-receiver': [] };
  return (captured, way) => {
    const old = earlier[way];
    old.push(captured.packet);
    const payload = payloadOf(captured);
    const copies = [old[below(old.length)]!, reset(captured, 0x4000_0000), reset(captured, -0x4000_0000)];
    if (payload.length > 1) {
      copies.push(
        withPayload(captured, flipped(payload)),
        withPayload(captured, payload.slice(0, below(payload.length))),
      );
    }
    return [captured.packet, ...copies];
  };
}

interface Telling {
  readonly attacker: PathAttacker;
  readonly receiver: Receiver;
}

const everything = (datagrams: DatagramForger): Attack => {
  const segments = segmentForger();
  return (captured, way) => (captured.channel === 'media' ? datagrams : { attack: segments }).attack(captured, way);
};

/** Breaks the control connection in one way, once, and waits until the receiver has joined again. */
async function breaking(
  { attacker, receiver }: Telling,
  way: Way,
  made: (captured: Captured) => readonly Uint8Array[],
) {
  const { sessions } = receiver;
  let armed = true;
  attacker.attack = (captured, going) => {
    if (!armed || captured.channel === 'media' || going !== way || payloadOf(captured).length === 0) {
      return [captured.packet];
    }
    armed = false;
    return made(captured);
  };
  await receiver.until('it joined again', () => receiver.sessions > sessions);
  await receiver.shows(30);
}

const STORIES: Readonly<Record<string, (telling: Telling) => Promise<object>>> = {
  forge: async ({ attacker, receiver }) => {
    const forger = new DatagramForger();
    attacker.attack = everything(forger);
    await receiver.shows(200);
    attacker.attack = ({ packet }) => [packet];
    return { made: forger.made };
  },
  flood: async ({ attacker, receiver }) => {
    const forger = new DatagramForger(FLOOD_ROUNDS);
    attacker.attack = (captured, way) =>
      captured.channel === 'media' ? forger.attack(captured, way) : [captured.packet];
    await receiver.until('all was forged', () => forger.made >= Number(count));
    attacker.attack = ({ packet }) => [packet];
    await receiver.shows(30);
    return { made: forger.made };
  },
  break: async (telling) => {
    for (const way of ['to-receiver', 'to-sender'] as const) {
      await breaking(telling, way, (captured) => [withPayload(captured, flipped(payloadOf(captured)))]);
      await breaking(telling, way, (captured) => [reset(captured, payloadOf(captured).length), captured.packet]);
    }
    return {};
  },
  change: async ({ attacker, receiver }) => {
    attacker.attack = (captured) => {
      const payload = payloadOf(captured).slice();
      if (captured.channel === 'control' || payload.length < 200) return [captured.packet];
      payload[payload.length - 1]! ^= 0xff;
      return [withPayload(captured, payload)];
    };
    await receiver.shows(60);
    return {};
  },
};

const [name = '', security = '', count = ''] = argv.slice(2);
const attacker = await PathAttacker.open();
const on = new Stage();
const plain = security === 'plain' ? ['--insecure'] : [];
const sender = await on.sender(['--listen', `${SENDER_ADDRESS}:7000`, ...plain], {
  prefix: attacker.entering('to-sender'),
});
const receiver = on.receiver(sender.url, ['--latency', '1000'], { prefix: attacker.entering('to-receiver') });
await receiver.shows(30);
const outcome = await STORIES[name]!({ attacker, receiver });
const code = await receiver.stop();
const { sessions, frames, notAuthentic, foreign, malformed, encrypted } = receiver.progress!;
const all = Buffer.concat(attacker.seen);
const read = secrets().filter((secret) => all.includes(secret)).length;
const { complaints } = receiver;
const told = { code, complaints, sessions, encrypted, notAuthentic, foreign, malformed, read, ...outcome };
stdout.write(
  `${JSON.stringify({ ...told, bytes: all.length, shown: frames.onTime + frames.recovered, lost: frames.total - frames.onTime - frames.recovered })}\n`,
);
exit(0);
