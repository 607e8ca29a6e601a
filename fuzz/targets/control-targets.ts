import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { ControlClient } from '../../protocol/control/control-client.ts';
import { ControlDeframer, serializeControlFrame } from '../../protocol/control/control-framing.ts';
import {
  type ControlMessage,
  parseReceiverMessage,
  parseSenderMessage,
  serializeControlMessage,
} from '../../protocol/control/control-message.ts';
import { agreedParameters, welcomedParameters } from '../../protocol/control/stream-agreement.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold, type Observed } from '../fuzz-target.ts';
import { mutateControl } from '../mutate-control.ts';
import { RECEIVER_MESSAGES, SENDER_MESSAGES } from '../recorded-messages.ts';

const EVENTS_MAX = 20_000;
const PENDING_BYTES_MAX = 70_000;
/** A sender's choices for each receiver. */
const CHOICES = {
  codec: H264,
  ssrc: 1,
  initialSequence: wireSequence(0),
  timestampBase: wireTimestamp(0),
  datagramBytesMax: 1_200,
} as const;
const decoder = new TextDecoder('utf-8', { fatal: true });

const framed = (message: ControlMessage): Uint8Array =>
  serializeControlFrame(new TextEncoder().encode(serializeControlMessage(message)));

const session = (messages: readonly ControlMessage[]): FuzzInput => ({
  choices: 0,
  steps: messages.map((message) => ({ pause: 100, bytes: framed(message) })),
});

/** Control connection of a receiver: what a sender writes into it. */
export const controlClientTarget: FuzzTarget = {
  name: 'control-client',
  seeds: () => [session(SENDER_MESSAGES), ...SENDER_MESSAGES.map((message) => session([message]))],
  mutate: mutateControl,
  run: ({ choices, steps }, observed) => {
    const client = new ControlClient({
      transport: (['auto', 'udp', 'tcp'] as const)[choices % 3]!,
      latencyMs: 120,
      recovery: 'hybrid',
      timeout: seconds(5),
      reportSsrc: 7,
    });
    let deframer = new ControlDeframer();
    let now: Instant = instant(seconds(1));
    let events = 0;
    const poll = (): void => {
      while (client.pollMessage()) observed.see('message');
      for (let event = client.pollEvent(); event; event = client.pollEvent()) {
        hold(++events < EVENTS_MAX, 'instructions are bounded');
        observed.see(event.kind);
        if (event.kind === 'failed') observed.see(event.failure.kind);
        if (event.kind === 'welcomed')
          welcomedParameters(event.welcome, { transport: event.transport, recovery: 'hybrid' });
        if (event.kind === 'connect') {
          deframer = new ControlDeframer();
          client.handleConnected();
        }
        if (event.kind === 'cut' || event.kind === 'farewell') client.handleClosed(now);
      }
    };
    client.start(now);
    poll();
    for (const step of steps) {
      const end = later(now, milliseconds(step.pause));
      for (let at = client.pollTimeout(), count = 0; at !== undefined && at <= end; at = client.pollTimeout()) {
        hold(++count < EVENTS_MAX || step.pause > 100_000, 'timeouts end');
        if (count >= EVENTS_MAX) break;
        if (at > now) now = at;
        client.handleTimeout(now);
        poll();
      }
      now = end;
      const bodies = deframer.push(step.bytes);
      hold(deframer.pendingBytes <= PENDING_BYTES_MAX, 'at most one message is buffered');
      if (!bodies.ok) {
        observed.reason(bodies.malformed);
        client.handleClosed(now, bodies.malformed);
      } else
        for (const body of bodies.value) readMessage(body, observed, (message) => client.handleMessage(now, message));
      poll();
    }
    client.stop();
    poll();
  },
};

function readMessage(
  body: Uint8Array,
  observed: Observed,
  handle: (message: Parameters<ControlClient['handleMessage']>[1]) => void,
): void {
  const text = textOf(body);
  if (text === undefined) return observed.see('not UTF-8');
  const message = parseSenderMessage(text);
  if (!message.ok) return observed.reason(message.malformed);
  observed.see(message.value.kind);
  if (message.value.kind === 'unrecognized') return;
  serializeControlMessage(message.value);
  handle(message.value);
}

/** Control connection of a sender: what a receiver writes into it. */
export const controlServerTarget: FuzzTarget = {
  name: 'control-server',
  seeds: () => [session(RECEIVER_MESSAGES), ...RECEIVER_MESSAGES.map((message) => session([message]))],
  mutate: mutateControl,
  run: ({ steps }, observed) => {
    const deframer = new ControlDeframer();
    for (const { bytes } of steps) {
      const bodies = deframer.push(bytes);
      hold(deframer.pendingBytes <= PENDING_BYTES_MAX, 'at most one message is buffered');
      if (!bodies.ok) return observed.reason(bodies.malformed);
      for (const body of bodies.value) {
        const text = textOf(body);
        const message = text === undefined ? undefined : parseReceiverMessage(text);
        if (!message?.ok) {
          observed.reason(message?.malformed ?? 'not UTF-8');
          continue;
        }
        observed.see(message.value.kind);
        if (message.value.kind === 'hello') agreedParameters(message.value, CHOICES);
      }
    }
  },
};

function textOf(body: Uint8Array): string | undefined {
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}
