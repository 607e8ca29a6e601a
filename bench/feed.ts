/**
 * Gives srt-live-transmit the input of dropframe's sender: the same access units at the same times, spread by the same
 * pacer and cut into SRT payloads. `feed INPUT` writes them to stdout; `feed INPUT PORT` sends them as UDP to
 * 127.0.0.1.
 */
import { createSocket } from 'node:dgram';
import { argv, stdout } from 'node:process';
import { now } from '../io/os/clock.ts';
import { WakeUp } from '../io/os/wake-up.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { seconds } from '../protocol/base/units.ts';
import { Pacer } from '../sender/pacer.ts';
import { SENDER_DEFAULTS } from '../sender/sender-options.ts';
import { Broadcast } from '../session/stream/broadcast.ts';
import { FRAMES_PER_SECOND, openBenchSource } from './bench-source.ts';

/** Seven packets of an MPEG transport stream, the payload of SRT's live mode, bytes. */
const PAYLOAD_BYTES = 1_316;

const [, , input = '', port] = argv;
const source = await openBenchSource(input);
const socket = createSocket('udp4');
const pacer = new Pacer<Uint8Array>(SENDER_DEFAULTS);
const wakeUp = new WakeUp(send);
const transmit =
  port === undefined
    ? (payload: Uint8Array) => stdout.write(payload)
    : (payload: Uint8Array) => socket.send(payload, Number(port), '127.0.0.1');

function send(): void {
  const at = now();
  for (let payload = pacer.poll(at); payload; payload = pacer.poll(at)) transmit(payload);
  wakeUp.set(pacer.pollTimeout());
}

function payloadsOf(unit: AccessUnit): Uint8Array[] {
  const bytes = Buffer.concat(unit.parts);
  const payloads: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += PAYLOAD_BYTES) {
    // SRT's live mode expects payloads of equal size, so the last one is padded.
    const payload = new Uint8Array(PAYLOAD_BYTES);
    payload.set(bytes.subarray(offset, offset + PAYLOAD_BYTES));
    payloads.push(payload);
  }
  return payloads;
}

new Broadcast({
  units: () => source.units(),
  loop: true,
  onUnit: (unit) => {
    pacer.enqueue(now(), payloadsOf(unit), seconds(1 / FRAMES_PER_SECOND));
    send();
  },
  onEnd: () => {},
  onStall: () => {},
}).start();
