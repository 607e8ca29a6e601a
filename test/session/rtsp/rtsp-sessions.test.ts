import { expect, test } from 'vitest';
import { milliseconds } from '../../../protocol/base/units.ts';
import { RtspSessions } from '../../../session/rtsp/rtsp-sessions.ts';

test('a player that comes while the server stops gets no session', () => {
  const sessions = new RtspSessions({} as never);
  sessions.close();
  expect(sessions.open({} as never, 'udp', milliseconds(100))).toEqual({
    refused: 'the sender is being stopped',
    retrySeconds: 1,
  });
  expect(sessions.all).toEqual([]);
});
