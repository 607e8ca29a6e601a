import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { nodeCipher } from '../../io/crypto/node-cipher.ts';
import { openSslCipher } from '../../io/crypto/openssl-cipher.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { IncomingContext } from '../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../protocol/srtp/outgoing-context.ts';
import { optional } from '../optional.ts';
import { plain } from '../protocol/bytes.ts';
import { freePortPair, hasGStreamer, start, untilBound } from './programs.ts';

/** libsrtp, as the elements srtpenc and srtpdec of GStreamer (Debian: gstreamer1.0-tools, gstreamer1.0-plugins-bad). */
const withSrtp = optional('GStreamer with srtpenc and srtpdec', hasGStreamer('srtpenc', 'srtpdec'));

const SSRC = 0x2a2b_2c2d;
const PACKETS = 200;
const master = { key: new Uint8Array(randomBytes(16)), salt: new Uint8Array(randomBytes(12)) };
const keyText = Buffer.concat([master.key, master.salt]).toString('hex');
/** GStreamer 1.22 and its libsrtp 2 know no Cryptex. */
const options = { masterKeys: () => master, cryptex: false };
const ciphers = [nodeCipher, openSslCipher()].filter((cipher) => cipher !== undefined);

/** RTP with a frame mark, across the wrap of its sequence numbers, and a report in between. */
const packets = Array.from({ length: PACKETS }, (_, index) =>
  index % 20 === 19
    ? serializeRtcp([{ kind: 'goodbye', ssrcs: [SSRC], reason: `number ${index}` }])
    : serializeRtpPacket({
        marker: index % 7 === 0,
        payloadType: 96,
        sequenceNumber: wireSequence((65_436 + index) & 0xffff),
        timestamp: wireTimestamp(index * 3_000),
        ssrc: SSRC,
        csrcs: [],
        extension: { profile: 0xbede, data: new Uint8Array(8).fill(index) },
        payload: new Uint8Array(randomBytes(1 + ((index * 37) % 1_300))),
      }),
);

/** A UDP port of the test, and what has arrived at it. */
async function port(): Promise<{ readonly socket: Socket; readonly number: number; readonly arrived: Uint8Array[] }> {
  const socket = createSocket('udp4');
  const arrived: Uint8Array[] = [];
  socket.on('message', (datagram) => arrived.push(plain(datagram)));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { socket, number: socket.address().port, arrived };
}

async function running(pipeline: string, bound: readonly number[]): Promise<void> {
  start('gst-launch-1.0', pipeline.split(/\s+/));
  for (const each of bound) await untilBound(each);
}

/** Sends datagrams in order until as many have come back; the first ones may find no listener yet. */
async function exchanged(
  from: Socket,
  to: { readonly rtp: number; readonly rtcp: number },
  datagrams: readonly Uint8Array[],
  back: { readonly arrived: readonly Uint8Array[] },
): Promise<void> {
  for (const datagram of datagrams) {
    const isReport = datagram[1]! >= 192 && datagram[1]! <= 223;
    from.send(datagram, isReport ? to.rtcp : to.rtp, '127.0.0.1');
    await pause(2);
  }
  for (let waited = 0; back.arrived.length < datagrams.length && waited < 10_000; waited += 20) await pause(20);
}

const sorted = (list: readonly Uint8Array[]) => list.map((each) => Buffer.from(each).toString('hex')).sort();

describe('libsrtp, with the same master key', () => {
  withSrtp('protects what we accept: RTP and RTCP, byte for byte', async () => {
    const own = await port();
    const rtp = await freePortPair();
    const rtcp = rtp + 1;
    await running(
      `srtpenc name=e key=${keyText} rtp-cipher=aes-128-gcm rtp-auth=null rtcp-cipher=aes-128-gcm rtcp-auth=null ` +
        `udpsrc address=127.0.0.1 port=${rtp} caps=application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,ssrc=(uint)${SSRC} ! e.rtp_sink_0 ` +
        `udpsrc address=127.0.0.1 port=${rtcp} caps=application/x-rtcp ! e.rtcp_sink_0 ` +
        `e.rtp_src_0 ! udpsink host=127.0.0.1 port=${own.number} sync=false async=false ` +
        `e.rtcp_src_0 ! udpsink host=127.0.0.1 port=${own.number} sync=false async=false`,
      [rtp, rtcp],
    );
    await exchanged(own.socket, { rtp, rtcp }, packets, own);
    for (const cipher of ciphers) {
      const incoming = new IncomingContext({ ...options, cipher });
      const opened = own.arrived.map((datagram) => incoming.unprotect(datagram)).filter((each) => each !== undefined);
      expect(incoming.refused).toEqual({ malformed: 0, replayed: 0, forged: 0 });
      expect(sorted(opened)).toEqual(sorted(packets));
    }
  });

  withSrtp('accepts what we protect, byte for byte, and no changed packet', async () => {
    for (const cipher of ciphers) {
      const own = await port();
      const rtp = await freePortPair();
      const rtcp = rtp + 1;
      const policy = `ssrc=(uint)${SSRC},srtp-key=(buffer)${keyText},srtp-cipher=aes-128-gcm,srtp-auth=null,srtcp-cipher=aes-128-gcm,srtcp-auth=null,roc=(uint)0`;
      await running(
        `srtpdec name=d ` +
          `udpsrc address=127.0.0.1 port=${rtp} caps=application/x-srtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,${policy} ! d.rtp_sink ` +
          `udpsrc address=127.0.0.1 port=${rtcp} caps=application/x-srtcp,${policy} ! d.rtcp_sink ` +
          `d.rtp_src ! udpsink host=127.0.0.1 port=${own.number} sync=false async=false ` +
          `d.rtcp_src ! udpsink host=127.0.0.1 port=${own.number} sync=false async=false`,
        [rtp, rtcp],
      );
      const outgoing = new OutgoingContext({ ...options, cipher });
      const wires = packets.map((packet) => outgoing.protect(packet));
      const changed = wires.slice(0, 20).map((wire) => {
        const copy = plain(wire);
        copy[copy.length - 5]! ^= 1;
        return copy;
      });
      await exchanged(own.socket, { rtp, rtcp }, changed, { arrived: changed });
      await exchanged(own.socket, { rtp, rtcp }, wires, own);
      expect(sorted(own.arrived)).toEqual(sorted(packets));
    }
  });
});
