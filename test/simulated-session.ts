import { expect } from 'vitest';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { type Instant, instant, microseconds, milliseconds, seconds } from '../protocol/base/units.ts';
import { wireSequence, wireTimestamp } from '../protocol/rtp/sequence.ts';
import { type SentStreamParameters, streamParameters } from '../protocol/stream-parameters.ts';
import { Receiver, type ReceiverEvent } from '../receiver/receiver.ts';
import { type ReceiverOptions, type ReceiverSettings, receiverOptions } from '../receiver/receiver-options.ts';
import { Sender, type SenderEvent } from '../sender/sender.ts';
import { type SenderOptions, type SenderSettings, senderOptions } from '../sender/sender-options.ts';
import type { Direction } from '../sim/direction.ts';
import { Link } from '../sim/link/link.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed, SyntheticStream, type SyntheticStreamOptions } from '../sim/synthetic-stream.ts';

export const MEDIA_SSRC = 0x1234_5678;
export const RETRANSMISSION_SSRC = 0x1234_5679;
export const REPAIR_SSRC = 0x1234_567a;
export const REPORT_SSRC = 0x0badcafe;
/** Start of the media, after the receiver is ready. */
export const START: Instant = instant(milliseconds(1));

/** Parses a link from its one-line form. */
export function link(text: string): LinkSpecification {
  const specification = parseLinkSpecification(text);
  if (!specification.ok) throw new Error(specification.malformed);
  return specification.value;
}

/** Parameters of a sender and a receiver of ours, with these changes. */
export const agreed = (changes: Partial<SentStreamParameters> = {}): SentStreamParameters =>
  streamParameters({
    ssrc: MEDIA_SSRC,
    initialSequence: wireSequence(100),
    timestampBase: wireTimestamp(0x8000_0000),
    retransmission: { ssrc: RETRANSMISSION_SSRC, payloadType: 97 },
    repair: { ssrc: REPAIR_SSRC, payloadType: 98 },
    ...changes,
  });

export const SENDER_OPTIONS: SenderOptions = senderOptions(agreed());
export const RECEIVER_OPTIONS: ReceiverOptions = receiverOptions(agreed(), { reportSsrc: REPORT_SSRC });

export interface SessionScenario {
  readonly forward?: string;
  readonly back?: string;
  readonly latencyMs?: number;
  readonly stream?: Partial<SyntheticStreamOptions>;
  readonly parameters?: Partial<SentStreamParameters>;
  readonly sender?: Partial<SenderSettings>;
  readonly receiver?: Partial<ReceiverSettings>;
  readonly onDatagram?: (now: Instant, direction: Direction, datagram: Uint8Array) => void;
  readonly onSenderEvent?: (now: Instant, event: SenderEvent) => void;
  /** Called every simulated second. */
  readonly eachSecond?: (links: { readonly forward: Link; readonly back: Link }) => void;
  /** True to report the totals to the receiver, as the control channel does. */
  readonly announceEnd?: boolean;
}

export interface SessionResult {
  readonly sent: readonly AccessUnit[];
  readonly received: readonly AccessUnit[];
  readonly events: readonly ReceiverEvent[];
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly forward: Link;
  readonly back: Link;
}

/**
 * Runs a synthetic stream from a sender to a receiver over two links to its end, and checks the invariants of any run.
 */
export function runSession(scenario: SessionScenario): SessionResult {
  const stream = { ...STREAM, ...scenario.stream };
  const { latencyMs = 120 } = scenario;
  const parameters = agreed({ latency: milliseconds(latencyMs), ...scenario.parameters });
  const sender = new Sender(senderOptions(parameters, scenario.sender));
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC, ...scenario.receiver }));
  const forward = new Link(link(scenario.forward ?? ''), 'forward');
  const back = new Link(link(scenario.back ?? scenario.forward ?? ''), 'back');
  const source = new SyntheticStream(stream);
  const sent: AccessUnit[] = [];
  const events: ReceiverEvent[] = [];
  let endAt: Instant | undefined;
  const feed = new LiveFeed({
    startAt: START,
    next: () => source.next(),
    deliver: (now, unit) => {
      if (sender.send(now, unit) === 'queued') sent.push(unit);
    },
    finish: () => {
      sender.finish();
      endAt = instant(START + seconds(stream.frames / stream.framesPerSecond) + milliseconds(100));
    },
  });
  const announceEnd = {
    pollTimeout: () => (scenario.announceEnd === false ? undefined : endAt),
    run: (now: Instant) => {
      endAt = undefined;
      receiver.endOfStream(now, { frames: sender.statistics.frames, lastSequence: sender.lastSequence });
    },
  };
  const simulation = new Simulation({
    sender,
    receiver,
    forward,
    back,
    scripts: [feed, announceEnd],
    ...(scenario.onSenderEvent && { onSenderEvent: scenario.onSenderEvent }),
    onReceiverEvent: (_, event) => events.push(event),
    onDatagram: (now, direction, datagram) => {
      if (datagram.length > parameters.datagramBytesMax) throw new Error(`a datagram of ${datagram.length} bytes`);
      scenario.onDatagram?.(now, direction, datagram);
    },
  });
  const last = START + seconds(stream.frames / stream.framesPerSecond + 8);
  for (let at = seconds(1); at < last; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    receiver.assertBalanced();
    scenario.eachSecond?.({ forward, back });
  }
  const received = events.flatMap((event) => (event.kind === 'access-unit' ? [event.unit] : []));
  const result = { sent, received, events, sender, receiver, forward, back };
  checkRun(result, scenario);
  return result;
}

const STREAM: SyntheticStreamOptions = {
  framesPerSecond: 30,
  frameBytes: 4_000,
  keyFrameBytes: 40_000,
  keyInterval: 30,
  frames: 300,
  seed: 7,
};

/** Checks the invariants that hold whatever the links do. */
function checkRun(
  { sent, received, events, receiver, forward, back, sender }: SessionResult,
  scenario: SessionScenario,
): void {
  receiver.assertBalanced();
  for (const { counters } of [forward, back]) {
    const { offered, duplicated, delivered, lost, overflowed, inFlight } = counters;
    expect(offered + duplicated).toBe(delivered + lost + overflowed + inFlight);
  }
  checkRelease(events);
  const known = new Map(sent.map((unit) => [unit.timestamp, unit]));
  const changed = received.filter((unit) => !sameUnit(unit, known.get(unit.timestamp)));
  if (!/corrupt/.test(scenario.forward ?? '')) expect(changed).toEqual([]);
  const { frames, packets } = receiver.statistics;
  expect(received.length).toBe(frames.onTime + frames.recovered + frames.late + frames.mended);
  if (scenario.announceEnd === false) return;
  expect(receiver.ended).toBe(true);
  expect(frames.decided).toBe(sent.length);
  expect(packets.decided).toBe(sender.statistics.packets);
}

/** `toEqual` for many large units, but fast. */
export function sameUnit(one: AccessUnit, other: AccessUnit | undefined): boolean {
  return (
    other !== undefined &&
    one.timestamp === other.timestamp &&
    one.decodeTimestamp === other.decodeTimestamp &&
    one.importance === other.importance &&
    one.parts.length === other.parts.length &&
    one.parts.every((nalUnit, index) => Buffer.compare(nalUnit, other.parts[index]!) === 0)
  );
}

/** Lists the units that changed; `toEqual` would take seconds for them, and minutes to show a difference. */
export function differences(received: readonly AccessUnit[], sent: readonly AccessUnit[]): string[] {
  const differing = received.flatMap((unit, index) => (sameUnit(unit, sent[index]) ? [] : [`unit ${index} differs`]));
  return received.length === sent.length ? differing : [...differing, `${received.length} units of ${sent.length}`];
}

/** Checks that each frame is released or dropped once, in order, and that released times never decrease. */
export function checkRelease(events: readonly ReceiverEvent[]): void {
  let frame = Number.NEGATIVE_INFINITY;
  let decodeTimestamp = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    if (event.kind !== 'access-unit' && event.kind !== 'dropped') continue;
    // Not `expect`, for speed: there are hundreds of thousands of events.
    if (event.frame <= frame) throw new Error(`frame ${event.frame} was decided after ${frame}`);
    frame = event.kind === 'dropped' ? event.frame + event.frames - 1 : event.frame;
    if (event.kind !== 'access-unit') continue;
    if (event.unit.decodeTimestamp > event.unit.timestamp)
      throw new Error(`frame ${frame} is decoded after it is shown`);
    if (event.unit.decodeTimestamp < decodeTimestamp) throw new Error(`frame ${frame} runs backwards`);
    decodeTimestamp = event.unit.decodeTimestamp;
  }
}
