import { counter, gauge, type MetricFamily } from './metric-family.ts';

/** Figures of this process, with the names that Prometheus' client libraries give them. */
export function processMetrics(version: string): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const startedAtMs = performance.timeOrigin;
  return [
    gauge('dropframe_build_info', 'Version of dropframe and of Node; the value is 1.', [
      [{ version, node: process.versions.node }, 1],
    ]),
    counter('process_cpu_seconds_total', 'User and system CPU time of this process.', (user + system) / 1e6),
    gauge('process_resident_memory_bytes', 'Resident memory of this process.', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'Start of this process, since the Unix epoch.', startedAtMs / 1_000),
  ];
}
