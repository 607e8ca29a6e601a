import { controlFrame, HELLO, join, openConnection, openControl } from '../plain-receiver.ts';
import { repeat, type Storm } from './storm-target.ts';

/** Connections for each repetition of 5 ms: 2,000 a second. */
const EACH = 10;

/** Opens control connections as fast as they can be, and says the same on each. */
function connections({ next, count }: Storm, message: Uint8Array | undefined): void {
  repeat(EACH, () => {
    count();
    void openControl(next()).then(
      ({ control }) => message && control.write(message),
      () => {},
    );
  });
}

/** Opens TCP connections as fast as they can be, writes some bytes to each, and keeps them. */
function raw({ next, count }: Storm, bytes: Uint8Array): void {
  repeat(EACH, () => {
    count();
    const socket = openConnection(next());
    if (bytes.length > 0) socket.write(bytes);
    socket.resume();
  });
}

/** First bytes of a TLS handshake record of 512 bytes. */
const HANDSHAKE_BEGINNING = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
/** Header of a control message of the longest kind. */
const FRAME_BEGINNING = Uint8Array.of(0, 0, 0xff, 0xff);

/** Strangers who open connections. */
export const CONNECTION_STORMS: Readonly<Record<string, (storm: Storm) => Promise<void>>> = {
  silent: async (storm) => raw(storm, new Uint8Array(0)),
  'handshake begun': async (storm) => raw(storm, HANDSHAKE_BEGINNING),
  'handshake done': async (storm) => connections(storm, undefined),
  'frame begun': async (storm) => connections(storm, FRAME_BEGINNING),
  join: async (storm) => connections(storm, controlFrame({ ...HELLO, transport: 'udp' })),
  'join over TCP': async (storm) => connections(storm, controlFrame({ ...HELLO, transport: 'tcp', recovery: 'none' })),
  attach: async (storm) => {
    const { welcome } = await join(storm.next(), 'tcp');
    connections(storm, controlFrame({ kind: 'attach', session: welcome.session, key: welcome.key }));
  },
};
