import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../../protocol/base/units.ts';

import { Stage, WELCOME } from './control-stage.ts';

describe('a media path that falls silent', () => {
  /** Serves time in steps, with a sender that announces its totals every second. */
  const silentUntil = (stage: Stage, from: number, to: number): Stage => {
    for (let ms = from; ms <= to; ms += 100) {
      stage.at(ms, (client) => client.handleControlHeard());
    }
    return stage;
  };
  const news = (stage: Stage) => stage.news().filter((each) => !each.endsWith('report'));

  test('is followed by a new address proof within half a second', () => {
    const stage = new Stage().joined();
    stage.news();
    expect(news(silentUntil(stage, 100, 900))).toEqual(['420 prove-address']);
  });

  test('is left for TCP after two seconds where no datagram ever came', () => {
    const stage = new Stage({ transport: 'auto' }).joined();
    stage.news();
    silentUntil(stage, 100, 2_100).close(2_110);
    stage.at(2_120, (client) => client.handleConnected()).say(2_130, WELCOME);
    expect(news(stage)).toEqual([
      '420 prove-address',
      '2020 notice: tcp-instead',
      '2020 cut: leaving for a new session (tcp-instead)',
      '2110 close-media',
      '2110 connect',
      '2120 says hello playing',
      '2130 welcomed over tcp',
    ]);
  });

  test('is left for a new session first where datagrams came before', () => {
    const stage = new Stage({ transport: 'auto' }).joined().at(30, (client) => client.handlePacket());
    stage.news();
    silentUntil(stage, 200, 2_300).close(2_310);
    stage.at(2_320, (client) => client.handleConnected()).say(2_330, WELCOME);
    silentUntil(stage, 2_400, 4_500);
    expect(news(stage).filter((each) => /notice|welcomed/.test(each))).toEqual([
      '2120 notice: path-silent',
      '2330 welcomed',
      '4330 notice: tcp-instead',
    ]);
  });

  test('is waited for when only UDP is allowed: reported at once, and named in the error at the timeout', () => {
    const stage = new Stage().joined();
    stage.news();
    silentUntil(stage, 100, 6_100).close(6_110);
    expect(news(stage)).toEqual([
      '420 prove-address',
      '2020 notice: no-datagrams',
      '5020 cut: no media arrived',
      '6110 close-media',
      '6110 failed: no-datagrams',
    ]);
  });

  test('is not left where its silence is intended', () => {
    const stage = new Stage({ leavesSilentPath: false }).joined();
    stage.news();
    expect(news(silentUntil(stage, 100, 4_000))).toEqual(['420 prove-address']);
  });

  test('is not monitored while the receiver is paused', () => {
    const stage = new Stage().joined().at(30, (client, now) => client.setPlaying(now, false));
    stage.news();
    expect(news(silentUntil(stage, 100, 9_000))).toEqual([]);
  });
});

describe('a living sender without media', () => {
  const outage = (stage: Stage, from: number): Stage =>
    stage
      .at(from)
      .close(from)
      .at(from, (client) => client.handleConnected())
      .say(from, WELCOME);

  test('is joined again at the timeout, and lost after four of them', () => {
    const stage = new Stage({ timeout: milliseconds(5_000), leavesSilentPath: false }).joined().frame(30);
    stage.news();
    for (const from of [6_030, 12_030, 18_030]) outage(stage, from);
    stage.at(24_100).close(24_100);
    expect(stage.news().filter((each) => /notice|failed/.test(each))).toEqual([
      '6020 notice: media-outage',
      '11030 notice: media-outage',
      '17030 notice: media-outage',
      '24100 failed: media-lost',
    ]);
  });

  test('resets the outage count after a frame', () => {
    const stage = new Stage({ timeout: milliseconds(5_000), leavesSilentPath: false }).joined().frame(30);
    for (const from of [6_030, 12_040, 18_050]) outage(stage, from).frame(from + 1);
    outage(stage, 24_060);
    expect(stage.state).toBe('receiving');
  });
});
