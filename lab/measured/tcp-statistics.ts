import { readFile } from 'node:fs/promises';

/** Kernel counters of D-SACK blocks received, in order and out of order (RFC 2883). */
const NAMES = ['TCPDSACKRecv', 'TCPDSACKOfoRecv'];

/** Returns the number of segments reported as duplicates, over all connections of this network namespace. */
export async function readDuplicatesReported(): Promise<number> {
  return duplicatesReported(await readFile('/proc/self/net/netstat', 'utf8').catch(() => ''));
}

/** @param table lines of names and values, per group. */
export function duplicatesReported(table: string): number {
  const lines = table.split('\n').filter((line) => line.startsWith('TcpExt:'));
  const [names = [], values = []] = lines.map((line) => line.trim().split(/\s+/));
  return names.reduce((sum, name, column) => (NAMES.includes(name) ? sum + Number(values[column] ?? 0) : sum), 0);
}
