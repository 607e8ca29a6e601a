import { readFile } from 'node:fs/promises';

/** RFC 2883: what the receiver reported as had twice, in the order and beyond it. */
const NAMES = ['TCPDSACKRecv', 'TCPDSACKOfoRecv'];

/** Segments of which the other end said that they came twice, of all connections of this network namespace. */
export async function readDuplicatesReported(): Promise<number> {
  return duplicatesReported(await readFile('/proc/self/net/netstat', 'utf8').catch(() => ''));
}

/** @param table a line of names and one of values for each group. */
export function duplicatesReported(table: string): number {
  const lines = table.split('\n').filter((line) => line.startsWith('TcpExt:'));
  const [names = [], values = []] = lines.map((line) => line.trim().split(/\s+/));
  return names.reduce((sum, name, column) => (NAMES.includes(name) ? sum + Number(values[column] ?? 0) : sum), 0);
}
