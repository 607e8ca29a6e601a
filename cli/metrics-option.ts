import { type Command, Option } from 'commander';
import type { MetricFamily } from '../io/metrics/metric-family.ts';
import type { MetricsServer } from '../io/metrics/metrics-server.ts';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import type { Log } from '../io/os/log.ts';
import { readLocalAddress } from './options.ts';
import { packageVersion } from './version.ts';

export interface MetricsCommandOptions {
  readonly metrics?: HostAndPort;
}

/** Adds `--metrics` to the current group of a command. */
export const addMetricsOption = (command: Command): Command =>
  command.addOption(
    new Option(
      '--metrics <address>',
      'HOST:PORT, or PORT of 127.0.0.1, at which Prometheus reads figures from /metrics',
    ).argParser(readLocalAddress),
  );

/**
 * Serves figures to Prometheus when `--metrics` asks for it, beside those of the process.
 * @param load loads what computes the figures.
 * @throws {Failure} when the address cannot be used.
 */
export async function serveMetrics(
  { metrics }: MetricsCommandOptions,
  log: Log,
  load: () => Promise<() => readonly MetricFamily[]>,
): Promise<MetricsServer | undefined> {
  if (metrics === undefined) return undefined;
  const [{ MetricsServer }, { processMetrics }, families] = await Promise.all([
    import('../io/metrics/metrics-server.ts'),
    import('../io/metrics/process-metrics.ts'),
    load(),
  ]);
  const version = packageVersion();
  const server = await MetricsServer.open(metrics, () => [...families(), ...processMetrics(version)]);
  log.info(`metrics at ${server.url}`);
  if (server.isPublic) log.warn('metrics are not encrypted, and everybody who reaches the address can read them');
  return server;
}
