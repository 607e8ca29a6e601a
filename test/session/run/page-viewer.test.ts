import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { Log } from '../../../io/os/log.ts';
import { isPageSound, parsePageSound } from '../../../protocol/page/page-message.ts';
import { openViewer } from '../../../session/run/viewer.ts';
import { until } from '../../io/net/control-peers.ts';
import { AAC_CONFIG, OPUS_HEAD, soundUnits } from '../../sound-units.ts';

const description = { title: 'a clip', codec: 'avc1.42C01E', width: 640, height: 360 };
const pictures = { description, codecName: 'h264', parameterSets: [] } as const;

test('a page gets the sound of a sender that returns with another codec, with its durations', async () => {
  const viewer = await openViewer({
    ...{ ...pictures, play: 'browser', pagePort: 0, openBrowser: false, onCommand: () => {} },
    sound: { codecName: 'opus', decoder: 'opus', parameterSets: [OPUS_HEAD] },
    log: new Log({ level: 'error' }),
  });
  onTestFinished(() => viewer.close());
  const origin = viewer.url!.slice(0, -1);
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/live`, { origin });
  onTestFinished(() => socket.terminate());
  const durations: number[] = [];
  let texts = 0;
  socket.on('message', (message: Buffer, isBinary) => {
    if (!isBinary) texts++;
    else if (isPageSound(message)) {
      const sound = parsePageSound(message);
      durations.push(sound.ok ? Number(sound.value.durationMs.toFixed(1)) : Number.NaN);
    }
  });
  await until('the page is described', () => texts > 0);
  const write = (codecName: 'opus' | 'aac') =>
    viewer.write(soundUnits(codecName, 1)[0]!, { decodeOnly: false, isSound: true });
  write('opus');
  viewer.describe?.({ ...pictures, sound: { codecName: 'aac', decoder: 'mp4a.40.2', parameterSets: [AAC_CONFIG] } });
  write('aac');
  await until('sound of both', () => durations.length === 2);
  // 1,024 samples at 44.1 kHz.
  expect(durations).toEqual([20, 23.2]);
});
