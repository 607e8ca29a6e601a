import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { announceWhep, openWhep } from '../../cli/send-whep.ts';
import { reachableAddresses } from '../../io/net/host-address.ts';
import { Log } from '../../io/os/log.ts';
import { HistoryBudget } from '../../sender/history-budget.ts';
import { HISTORY_BYTES } from '../../sender/sender-options.ts';
import { serverSecurity } from '../../session/stream/server-security.ts';
import { WhepServer } from '../../session/whep/whep-server.ts';
import { sourceOf } from '../loopback-session.ts';
import { optional } from '../optional.ts';
import { sampleUnits } from '../sample-units.ts';
import { liveOf } from '../session/serve-live.ts';

const withLibrary = optional('node-datachannel', WhepServer.isAvailable);
const DAY_MS = 86_400_000;
const source = sourceOf(sampleUnits().slice(0, 5));

test('the certificate for browsers has the addresses that are printed, and dates that browsers accept', async () => {
  const { identity } = await serverSecurity('0.0.0.0', {}, { forBrowsers: true });
  const certificate = new X509Certificate(identity!.certificate);
  for (const address of reachableAddresses('0.0.0.0')) expect(certificate.checkIP(address)).toBe(address);
  const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS;
  expect(days).toBeLessThan(399);
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
});

withLibrary('a server for browsers on other machines presents it', async () => {
  const live = liveOf(source);
  const log = new Log({ level: 'error' });
  const server = await openWhep(
    { whep: { host: '0.0.0.0', port: 0 }, mtu: 1_200, maxReceivers: 4, bitrate: 1_000_000 },
    { live, source, historyBudget: new HistoryBudget(HISTORY_BYTES), isProtected: true, log },
  );
  onTestFinished(async () => {
    await server?.close();
    live.close();
  });
  const socket = connect({ host: '127.0.0.1', port: server!.port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate()!;
  socket.destroy();
  expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(server!.fingerprint);
  for (const address of reachableAddresses('0.0.0.0')) expect(certificate.checkIP(address)).toBe(address);
});

test('it has the name by which the server was asked for too', async () => {
  const { identity } = await serverSecurity('localhost', { passphrase: 'four random words' }, { forBrowsers: true });
  const certificate = new X509Certificate(identity!.certificate);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.subjectAltName).toMatch(/DNS:localhost, IP Address:(127\.0\.0\.1|0:0:0:0:0:0:0:1)/);
});

test('the fingerprint is printed where the certificate was made for this run', () => {
  const server = { urls: ['https://192.0.2.7:8889/film'], fingerprint: `ab${'0'.repeat(62)}` };
  const found = /for browsers \(WHEP\): https:\/\/192\.0\.2\.7:8889\/film/;
  expect(announced(server, undefined)).toMatch(found);
  expect(announced(server, undefined)).toMatch(/self-made; its SHA-256 fingerprint is AB:00:/);
  expect(announced(server, 'own.pem')).toMatch(found);
  expect(announced(server, 'own.pem')).not.toMatch(/fingerprint/);
  expect(announced({ ...server, fingerprint: undefined }, undefined)).not.toMatch(/fingerprint/);
});

function announced(server: Parameters<typeof announceWhep>[0], certificate: string | undefined): string {
  const lines: string[] = [];
  const log = new Log({ level: 'info', write: (line) => lines.push(line) });
  announceWhep(server, { certificate }, { source, log });
  return lines.join('');
}
