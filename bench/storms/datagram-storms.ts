import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { serializeAddressProof } from '../../protocol/control/address-proof.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { flood, type Storm } from './storm-target.ts';

/** Length of a datagram of noise, bytes: 25,000 a second. */
const NOISE_BYTES = 100;

/** Opens a UDP socket at each address of the attackers. */
const sockets = async ({ target }: Storm): Promise<Socket[]> =>
  await Promise.all(
    target.addresses.map(
      (address) =>
        new Promise<Socket>((resolve) => {
          const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
          socket.on('error', () => {});
          socket.bind(0, address, () => resolve(socket));
        }),
    ),
  );

/** Sends datagrams from every address in turn, to ports of a host in turn. */
async function datagrams(
  storm: Storm,
  to: { readonly host: string; readonly ports: readonly number[] },
  next: () => Uint8Array,
): Promise<void> {
  const from = await sockets(storm);
  let turn = 0;
  flood(next().length, () => {
    const port = to.ports[turn % to.ports.length]!;
    from[turn++ % from.length]!.send(next(), port, to.host, () => {});
    storm.count();
  });
}

/** Bytes that begin as an RTP packet of version 2 does. */
function noise(): Uint8Array {
  const bytes = randomBytes(NOISE_BYTES);
  bytes[0] = 0x80;
  bytes[1] = 96;
  return bytes;
}

/** A packet of MPEG-TS in RTP, of another stream than the receiver's. */
function foreignTransportStream(): Uint8Array {
  const bytes = randomBytes(12 + 188);
  bytes[0] = 0x80;
  bytes[1] = 33;
  bytes[12] = 0x47;
  return bytes;
}

const below = (bound: number): number => Math.floor(Math.random() * bound);

/** Goodbyes, and requests for packets, of and for streams whose SSRC is guessed. */
const guessedFeedback = (): Uint8Array => {
  const [ssrc, other] = [below(2 ** 32), below(2 ** 32)];
  const sequenceNumbers = Array.from({ length: 340 }, (_, index) => wireSequence(index));
  return serializeRtcp([
    { kind: 'receiver-report', ssrc, reports: [] },
    { kind: 'nack', senderSsrc: ssrc, mediaSsrc: other, sequenceNumbers },
    { kind: 'goodbye', ssrcs: [ssrc, other], reason: 'over' },
  ]);
};

/** Strangers who send datagrams, also those of protocols without a proof of the address. */
export const DATAGRAM_STORMS: Readonly<Record<string, (storm: Storm) => Promise<void>>> = {
  noise: (storm) => datagrams(storm, { host: storm.target.host, ports: [storm.target.port] }, noise),
  hellos: (storm) =>
    datagrams(storm, { host: storm.target.host, ports: [storm.target.port] }, () =>
      serializeAddressProof({ kind: 'hello', session: randomBytes(8).toString('hex'), nonce: randomBytes(8) }),
    ),
  'to the receiver: packets': (storm) =>
    datagrams(storm, { host: storm.target.receiver, ports: storm.target.udpPorts }, foreignTransportStream),
  'to the receiver: feedback': (storm) =>
    datagrams(storm, { host: storm.target.receiver, ports: storm.target.udpPorts }, guessedFeedback),
  'to the sender: feedback': (storm) =>
    datagrams(storm, { host: storm.target.host, ports: storm.target.udpPorts }, guessedFeedback),
};
