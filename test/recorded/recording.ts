import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlDeframer } from '../../protocol/control/control-framing.ts';

/** Bytes that one of two programs of release 0.1.0 sent before the other one spoke again (`record.js`). */
export interface Turn {
  readonly who: 'receiver' | 'sender';
  readonly bytes: Buffer;
}

/** One TCP connection between two programs of release 0.1.0. */
export function recording(name: 'udp-control' | 'tcp-control' | 'tcp-media'): Turn[] {
  const lines = readFileSync(join(import.meta.dirname, '0.1.0', `${name}.txt`), 'latin1')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [who, hex = ''] = line.split(' ');
    return { who: who === 'sender' ? 'sender' : 'receiver', bytes: Buffer.from(hex, 'hex') };
  });
}

/** The control messages in these bytes. */
export function messagesIn(bytes: Uint8Array): Record<string, unknown>[] {
  const bodies = new ControlDeframer().push(bytes);
  if (!bodies.ok) throw new Error(bodies.malformed);
  return bodies.value.map((body) => JSON.parse(Buffer.from(body).toString()));
}
