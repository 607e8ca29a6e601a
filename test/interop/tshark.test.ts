import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { ReceiveRun } from '../../session/run/receive-run.ts';
import { packetsRecovered } from '../../session/run/run-summary.ts';
import { dropframeClient } from '../../session/stream/dropframe-client.ts';
import { StreamServer } from '../../session/stream/stream-server.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { clip } from './clip.ts';
import { dissect, withTshark } from './tshark-fields.ts';

const log = new Log({ level: 'error' });

/** Messages of tshark about parts of H.264 that it cannot parse yet. */
const UNFINISHED = '[Not decoded yet]';

/**
 * First fragment of an SEI message (FU-A). Datagrams have 548 bytes until a probe of the path is answered, and tshark parses
 * an SEI message in its first fragment as if it were complete.
 */
const SEI_FRAGMENT = 'h264.start.bit == 1 && h264.nal_unit_type == 6';
const [FU_A, STAP_A] = [28, 24];

/** Captures a dropframe session over a lossy link, from start to end. */
async function capturedSession(link: string) {
  const server = new StreamServer({
    source: await clip('counter.mp4', 90),
    host: '127.0.0.1',
    port: 0,
    loop: false,
    datagramBytesMax: 1_200,
    receiversMax: 1,
    log,
    onIdle: () => {},
  });
  await server.listen();
  onTestFinished(() => server.close('the test is over'));
  const specification = parseLinkSpecification(link);
  if (!specification.ok) throw new Error(specification.malformed);
  const capture = join(temporaryFolder(), 'session.pcap');
  const common = { transport: 'udp', recovery: 'nack', latencyMs: 1_500, link: specification.value } as const;
  const connect = dropframeClient({
    ...common,
    host: '127.0.0.1',
    port: server.port,
    release: 'deadline',
    onLoss: 'freeze',
    timeoutMs: 30_000,
  });
  const showing = { play: 'none', pagePort: 0, openBrowser: false, output: undefined } as const;
  const run = new ReceiveRun({ ...common, ...showing, connect, ipv6: false, capture, log });
  expect(await run.run()).toBe('end-of-stream');
  return { capture, summary: run.summary };
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** NAL units of the media in a capture, hexadecimal: what tshark finds as RTP payload, put together as in RFC 6184 §5.6–5.8. */
function nalUnitsIn(capture: string): string[] {
  const nalUnits: string[] = [];
  let fragments: Uint8Array[] = [];
  for (const [hex] of dissect(capture, 'rtp.p_type == 96', ['rtp.payload'])) {
    const payload = Buffer.from(hex!.replaceAll(':', ''), 'hex');
    const type = payload[0]! & 0x1f;
    if (type === STAP_A) {
      for (let at = 1; at < payload.length; at += 2 + payload.readUInt16BE(at)) {
        nalUnits.push(hexOf(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at))));
      }
    } else if (type === FU_A) {
      const [isFirst, isLast] = [(payload[1]! & 0x80) !== 0, (payload[1]! & 0x40) !== 0];
      if (isFirst) fragments = [Uint8Array.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f))];
      fragments.push(payload.subarray(2));
      if (isLast) nalUnits.push(hexOf(Buffer.concat(fragments)));
    } else nalUnits.push(hexOf(payload));
  }
  return nalUnits;
}

async function nalUnitsOf(file: string, frames: number): Promise<string[]> {
  const nalUnits: string[] = [];
  for await (const { parts } of (await clip(file, frames)).units()) nalUnits.push(...parts.map(hexOf));
  return nalUnits;
}

withTshark(
  'writes a capture in which tshark finds by itself RTP, H.264 and every kind of RTCP, and nothing malformed',
  async () => {
    const { capture, summary } = await capturedSession('loss=10% delay=10ms seed=2');
    expect(summary.requests).toBeGreaterThan(0);
    const all = dissect(capture, 'udp && !sap', ['frame.number']);
    const media = dissect(capture, 'rtp.p_type == 96', [
      'rtp.ssrc',
      'rtp.ext.rfc5285.id',
      'rtp.marker',
      'rtp.timestamp',
    ]);
    const retransmitted = dissect(capture, 'rtp.p_type == 97', ['rtp.ssrc']);
    const control = dissect(capture, 'rtcp', ['rtcp.pt']);
    expect(all.length).toBe(media.length + retransmitted.length + control.length);
    // tshark parses the announcement with the session description that precedes them as if a line were missing at its end.
    // The sample has one SEI message. That its fragments are right is shown by the NAL units that they make up.
    expect(dissect(capture, '_ws.malformed && !sap', ['frame.number']).length).toBe(1);
    expect(dissect(capture, `_ws.malformed && !sap && !(${SEI_FRAGMENT})`, ['frame.number'])).toEqual([]);
    expect(nalUnitsIn(capture)).toEqual(await nalUnitsOf('counter.mp4', 90));
    const complaints = dissect(capture, `_ws.expert && !sap && !(${SEI_FRAGMENT})`, ['_ws.expert.message']).flatMap(
      ([messages]) => messages!.split(','),
    );
    expect(complaints.filter((message) => message !== UNFINISHED)).toEqual([]);

    // The link loses packets after the point of capture, so all sent packets are present.
    expect(media.length).toBe(summary.packets.total);
    expect(new Set(media.map(([ssrc]) => ssrc)).size).toBe(1);
    // Elements of marks: 3 in the first and the last packet of each frame, 1 in the middle of a long one.
    const marks = media.map(([, extensions]) => extensions!.split(',')[0]);
    expect(new Set(marks)).toEqual(new Set(['1', '3', '']));
    expect(marks.filter((id) => id === '3').length).toBeGreaterThan(90);
    expect(media.filter(([, , marker]) => marker === '1').length).toBe(90);
    expect(new Set(media.map(([, , , timestamp]) => timestamp)).size).toBe(90);
    expect(dissect(capture, 'h264', ['frame.number']).length).toBe(media.length);
    expect(retransmitted.length).toBeGreaterThanOrEqual(packetsRecovered(summary));

    const types = new Set(control.flatMap(([kinds]) => kinds!.split(',')));
    for (const type of ['200', '201', '202', '203', '204', '205', '207']) expect(types).toContain(type);
    expect(dissect(capture, 'rtcp.rtpfb.fmt == 1', ['rtcp.rtpfb.nack_pid']).length).toBeGreaterThan(0);
    expect(dissect(capture, 'rtcp.app.name == "DFRM"', ['rtcp.app.subtype']).length).toBeGreaterThanOrEqual(4);
    expect(dissect(capture, 'rtcp.xr.bt == 4 || rtcp.xr.bt == 5', ['rtcp.xr.bt']).length).toBeGreaterThan(0);
  },
);
