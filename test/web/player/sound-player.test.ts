import { expect, test, vi } from 'vitest';

/** What the test uses of it: its module is compiled for pages, whose types tests do not have. */
interface Player {
  readonly state: string;
  describe(description: object): Promise<void>;
  toggle(): Promise<void>;
}

const { SoundPlayer } = (await import(new URL('../../../web/player/sound-player.ts', import.meta.url).href)) as {
  readonly SoundPlayer: new (changed: () => void) => Player;
};

/** A context whose worklet loads when `loaded` is called. */
class Context {
  static readonly all: Context[] = [];
  state = 'suspended';
  readonly sampleRate: number;
  loaded = () => {};
  readonly audioWorklet = {
    addModule: () =>
      new Promise<void>((resolve) => {
        this.loaded = resolve;
      }),
  };

  constructor({ sampleRate }: { readonly sampleRate: number }) {
    this.sampleRate = sampleRate;
    Context.all.push(this);
  }

  async resume() {
    this.state = 'running';
  }

  async suspend() {
    this.state = 'suspended';
  }

  async close() {
    this.state = 'closed';
  }
}

function stubWebAudio() {
  Context.all.length = 0;
  vi.stubGlobal('AudioContext', Context);
  vi.stubGlobal(
    'AudioWorkletNode',
    class {
      readonly port = { postMessage() {}, onmessage: undefined };
      connect() {}
    },
  );
  vi.stubGlobal('AudioDecoder', { isConfigSupported: async () => ({ supported: true }) });
  vi.stubGlobal('EncodedAudioChunk', class {});
}

const opus = (sampleRate: number) => ({ codec: 'opus', sampleRate, channels: 2, payload: 'opus' });
/** Lets what waits for promises go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('sound that is switched off while its output opens stays off, and one output serves many clicks', async () => {
  stubWebAudio();
  const player = new SoundPlayer(() => {});
  await player.describe(opus(48_000));
  const clicks = [player.toggle()];
  await settle();
  clicks.push(player.toggle());
  Context.all[0]!.loaded();
  await Promise.all(clicks);
  expect(player.state).toBe('off');
  expect(Context.all.map(({ state }) => state)).toEqual(['suspended']);
  await Promise.all([player.toggle(), player.toggle(), player.toggle()]);
  expect(player.state).toBe('on');
  expect(Context.all.map(({ state }) => state)).toEqual(['running']);
});

test('sound that changes while its output opens is played at its own rate', async () => {
  stubWebAudio();
  const player = new SoundPlayer(() => {});
  await player.describe(opus(48_000));
  const click = player.toggle();
  await settle();
  const change = player.describe(opus(44_100));
  await settle();
  Context.all[0]!.loaded();
  await settle();
  Context.all[1]!.loaded();
  await Promise.all([click, change]);
  expect(Context.all.map(({ sampleRate, state }) => [sampleRate, state])).toEqual([
    [48_000, 'closed'],
    [44_100, 'running'],
  ]);
});
