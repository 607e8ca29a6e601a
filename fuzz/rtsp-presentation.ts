import { microseconds } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import type { PresentationTrack } from '../protocol/rtsp/presentation-description.ts';
import type { JoinedStream } from '../session/player/player-session.ts';
import type { RtspLogin } from '../session/rtsp/rtsp-authentication.ts';
import type { RtspPeer } from '../session/rtsp/rtsp-connection.ts';
import { RtspRequests } from '../session/rtsp/rtsp-requests.ts';
import { type PlayerPorts, RtspSessions } from '../session/rtsp/rtsp-sessions.ts';
import { BacklogBudget } from '../session/stream/backlog-budget.ts';
import { RecentGroup } from '../session/stream/recent-group.ts';

const TRACKS: readonly PresentationTrack[] = [
  { codec: codecByName('h264'), payloadType: 96, clockRate: 90_000, parameterSets: [] },
  { codec: codecByName('opus'), payloadType: 97, clockRate: 48_000, parameterSets: [] },
];

const peerAt = (address: string): RtspPeer => ({
  peer: `${address}:5000`,
  address,
  localAddress: '192.0.2.1',
  backlogAge: microseconds(0),
  unsentBytes: 0,
  sendPackets: () => {},
  close: async () => {},
});

/** Requests and sessions of a film that never begins, without a socket. */
export function presentation({
  tracks = TRACKS,
  receiversMax = 4,
  login = undefined,
  ports = undefined,
}: {
  readonly tracks?: readonly PresentationTrack[];
  readonly receiversMax?: number;
  readonly login?: RtspLogin | undefined;
  readonly ports?: PlayerPorts | undefined;
} = {}) {
  const left: string[] = [];
  const live: JoinedStream = {
    isLive: false,
    recent: new RecentGroup(),
    start: () => true,
    upcoming: () => [],
    dueAt: () => undefined,
    requestKeyFrame: () => {},
    add: () => {},
    delete: () => {},
    backlogBudget: new BacklogBudget(),
  };
  const sessions = new RtspSessions({
    live,
    tracks,
    rotation: undefined,
    limits: { receiversMax, receiversPerAddressMax: receiversMax },
    datagramBytesMax: 1_200,
    ports: () => ports,
    onJoined: () => {},
    onLeft: (_, cause) => left.push(cause),
    onFault: (_, line) => {
      throw new Error(line);
    },
  });
  const other = (address: string): RtspRequests => {
    const peer = peerAt(address);
    return new RtspRequests(
      {
        path: 'film',
        name: 'film.mp4',
        version: 1,
        tracks,
        login,
        isSecure: false,
        timeoutSeconds: () => 60,
        session: (id) => sessions.session(id, peer),
        open: (...all) => sessions.open(...all),
        route: (...all) => sessions.route(...all),
        carries: (...all) => sessions.carries(...all),
        end: (...all) => sessions.end(...all),
      },
      peer,
    );
  };
  return { requests: other('192.0.2.7'), other, sessions, left };
}
