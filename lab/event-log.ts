import type { Cell } from './cell.ts';
import type { FrameTable } from './frame-table.ts';
import type { PacketRecord } from './packet-log.ts';
import { isKernelStrategy } from './strategies.ts';

/** Record separator of JSON text sequences (RFC 7464). */
const RECORD_SEPARATOR = '\u001e';
/** Our own schema; the qlog schemas describe QUIC. */
const EVENT_SCHEMA = 'urn:dropframe:lab';

/**
 * Writes the events of a cell in sequential qlog (draft-ietf-quic-qlog-main-schema): a header, then one event per
 * record in time order, in milliseconds of the virtual clock, or of the machine's monotonic clock for measured cells.
 */
export function eventLog(cell: Cell, frames: FrameTable, packets: readonly PacketRecord[]): Uint8Array {
  const events: { readonly at: number; readonly name: string; readonly data: object }[] = [];
  const add = (at: number | null, name: string, data: object) => {
    if (at !== null) events.push({ at, name: `lab:${name}`, data });
  };
  for (const { direction, datagram, kind, bytes, sentAt, arrivedAt, fate } of packets) {
    const packet = { direction, datagram, kind, bytes };
    add(sentAt, 'packet_sent', packet);
    if (fate === 'lost' || fate === 'overflowed') add(sentAt, 'packet_lost', { ...packet, trigger: fate });
    add(arrivedAt, 'packet_received', packet);
  }
  for (let row = 0; row < frames.length; row++) {
    const { frame, type, bytes, packets: count, class: outcome, mechanism, ...times } = frames.record(row);
    add(times.capturedAt, 'frame_captured', { frame, type, bytes, packets: count });
    add(times.lossSeenAt, 'frame_loss_seen', { frame });
    // A reliable transport does not report which frames it repaired.
    const isRecovered = mechanism !== 'none' && mechanism !== 'transport';
    add(times.completeAt, isRecovered ? 'frame_recovered' : 'frame_complete', { frame, mechanism });
    add(times.renderedAt, 'frame_rendered', { frame });
    if (times.renderedAt === null) add(times.completeAt ?? times.capturedAt, 'frame_missed', { frame, class: outcome });
  }
  // Stable sort: simultaneous events keep the order above.
  events.sort((one, other) => one.at - other.at);
  const header = {
    file_schema: 'urn:ietf:params:qlog:file:sequential',
    serialization_format: 'application/qlog+json-seq',
    title: `${cell.strategy}, ${cell.budgetMs} ms, ${cell.forward}`,
    event_schemas: [EVENT_SCHEMA],
    trace: {
      vantage_point: { type: 'network' },
      common_fields: {
        time_format: 'relative_to_epoch',
        reference_time: { clock_type: isKernelStrategy(cell.strategy) ? 'monotonic' : 'virtual', epoch: 'unknown' },
      },
    },
  };
  const records = [header, ...events.map(({ at, name, data }) => ({ time: at / 1_000, name, data }))];
  return new TextEncoder().encode(records.map((record) => `${RECORD_SEPARATOR}${JSON.stringify(record)}\n`).join(''));
}
