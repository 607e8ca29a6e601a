import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { instant } from '../../protocol/base/units.ts';
import type { Direction } from '../../sim/direction.ts';
import { Link } from '../../sim/link/link.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { readPcapng } from '../io/capture/pcapng.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { PATIENCE } from '../patience.ts';
import { dropframe, inside, ROOT, script, startScript, withTun, withTunAnd } from './inside.ts';

const UDP = 17;
/** Protocol of an IPv4 packet, next header of an IPv6 packet. */
const protocolOf = (packet: Uint8Array): number => (packet[0]! >> 4 === 4 ? packet[9]! : packet[6]!);

function linkOf(text: string, direction: Direction): Link {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  return new Link(link.value, direction, { headerBytes: 0 });
}

/** Payload of the datagrams behind the others, bytes: once one arrives, those before it have been read. */
const LAST_BYTES = 1_401;

withTun(
  'carries TCP from the client over --link and from the server over --link-back, and TCP recovers the losses',
  async () => {
    const text = `
      const body = Buffer.alloc(300_000, 7);
      net.createServer((socket) => socket.end(body)).listen(8000, () => {
        const client = net.connect(8000, '10.9.0.2');
        let bytes = 0;
        const address = new Promise((resolve) => client.on('connect', () => resolve(client.remoteAddress)));
        client.on('data', (part) => { bytes += part.length; });
        client.on('close', async () => { console.log(bytes, await address); process.exit(7); });
      });`;
    const run = await script(['--link', 'delay=10ms', '--link-back', 'loss=5% seed=2', '--congestion', 'reno'], text);
    expect(run).toMatchObject({ code: 7, stdout: '300000 10.9.0.2\n' });
    const { forward, back, congestionControl } = run.report!;
    expect(congestionControl).toBe('reno');
    expect(run.stderr).toContain('TCP reno');
    expect(forward).toMatchObject({ link: 'delay=10ms seed=1', lost: 0 });
    expect(back.link).toBe('loss=5% seed=2');
    expect(back.offeredBytes).toBeGreaterThan(300_000);
    expect(back.lost).toBeGreaterThan(0);
    expect(forward.offeredBytes).toBeLessThan(60_000);
  },
);

withTun('gives each UDP datagram its simulated fate, over IPv4 and IPv6', async () => {
  const link = 'loss=20% burst=3 dup=5% corrupt=5% seed=7';
  const text = `
      // Packets that the link has read from the device, whose queue holds 500: the tenth column of its row.
      const row = () => /^ *tun0:(.*)$/m.exec(fs.readFileSync('/proc/self/net/dev', 'utf8'))[1];
      const read = () => Number(row().trim().split(/ +/)[9]);
      const before = read();
      let offered = 0;
      let ended = 0;
      for (const [family, address] of [['udp4', '10.9.0.2'], ['udp6', 'fd09::2']]) {
        const server = dgram.createSocket({ type: family, ipv6Only: family === 'udp6' }).bind(9000);
        server.on('message', function last({ length }) {
          if (length !== ${LAST_BYTES}) return;
          server.off('message', last);
          if (++ended === 2) process.exit();
        });
        const client = dgram.createSocket(family);
        const sendLast = () => client.send(Buffer.alloc(${LAST_BYTES}), 9000, address);
        let sent = 0;
        const timer = setInterval(() => {
          if (offered - (read() - before) > 250) return;
          for (let burst = 0; burst < 10; burst++, offered++) {
            client.send(Buffer.alloc((sent++ * 37) % 1400), 9000, address);
          }
          if (sent < 500) return;
          clearInterval(timer);
          // The link may lose it, as it may any other.
          setInterval(sendLast, 20);
        }, 2);
      }`;
  const file = join(temporaryFolder(), 'fates.pcapng');
  const run = await script(['--link', link, '--pcap', file], text);
  expect(run).toMatchObject({ code: 0 });
  const { packets } = readPcapng(readFileSync(file));
  // Datagrams that arrive after the end of the script are answered by ICMP, which leaves over the other link.
  const sent = packets.filter(({ direction, comment }) => direction === 'out' && comment?.startsWith('forward'));
  const isLast = (bytes: Uint8Array) => bytes.length === LAST_BYTES + (bytes[0]! >> 4 === 4 ? 28 : 48);
  expect(sent.filter(({ bytes }) => protocolOf(bytes) === UDP && !isLast(bytes))).toHaveLength(1_000);
  const simulated = linkOf(link, 'forward');
  const fates = sent.map(({ bytes }, index) => {
    const fate = simulated.send(instant(0), bytes);
    return `forward ${index}${fate === 'carried' ? '' : `: ${fate}`}`;
  });
  expect(sent.map(({ comment }) => comment)).toEqual(fates);
  while (simulated.pollDelivery(instant(0)));
  const { lost, delivered, duplicated, corrupted } = simulated.counters;
  expect(run.report!.forward).toMatchObject({ offered: sent.length, lost, delivered, duplicated, corrupted });
  expect(lost).toBeGreaterThan(100);
});

withTunAnd('ping')('delays pings by both links, and loses those that simulation loses', async () => {
  const [there, back] = ['loss=10% delay=15ms seed=3', 'loss=5% delay=10ms seed=4'];
  const run = await inside(
    ['--link', there, '--link-back', back],
    ['sh', '-c', 'ping -q -n -i 0.01 -c 100 10.9.0.2; ping -q -n -c 1 -s 4000 fd09::2'],
  ).ended;
  const [forward, backward] = [linkOf(there, 'forward'), linkOf(back, 'back')];
  let answered = 0;
  for (let index = 0; index < 100; index++) {
    const arrived = forward.send(instant(0), new Uint8Array(84)) === 'carried';
    if (arrived && backward.send(instant(0), new Uint8Array(84)) === 'carried') answered++;
  }
  expect(run.stdout).toContain(`100 packets transmitted, ${answered} received`);
  const [, least] = /rtt min\/avg\/max\/mdev = ([\d.]+)/.exec(run.stdout) ?? [];
  expect(Number(least)).toBeGreaterThanOrEqual(25);
  // A ping in three fragments, each a packet of its own.
  expect(run.report!.forward.offered).toBe(103);
});

withTunAnd('curl', 'tshark')(
  'serves a page to curl over IPv4 and IPv6, and writes a capture that tshark reads',
  async () => {
    const file = join(temporaryFolder(), 'curl.pcapng');
    const server = "require('http').createServer((_, answer) => answer.end('here')).listen(8000)";
    const command = `"$0" -e "${server}" & for host in 10.9.0.2 '[fd09::2]'; do
      curl -sS --retry 20 --retry-connrefused --retry-delay 1 "http://$host:8000/"; done
      tshark -r "$1" -Y 'tcp.flags.syn == 1 && !tcp.flags.reset' -T fields -e frame.comment > /dev/null`;
    const run = await inside(['--link', 'delay=5ms', '--pcap', file], ['sh', '-c', command, process.execPath, file])
      .ended;
    expect(run.stdout).toBe('herehere');
    const tshark = (filter: string) =>
      execFileSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', '-e', 'ip.dst'], { encoding: 'utf8' });
    // Captured twice: as sent, and as returned by the far side.
    expect(tshark('http.request').split('\n').slice(0, 2)).toEqual(['10.9.0.2', '10.9.0.1']);
    expect(tshark('_ws.malformed || tcp.checksum.status == "Bad"')).toBe('');
  },
);

withTun('returns port-unreachable errors across the link, and has no route to the outside', async () => {
  const text = `
      const client = dgram.createSocket('udp4');
      client.connect(9, '10.9.0.2', () => client.send('anyone?'));
      client.on('error', (error) => {
        console.log(error.code);
        net.connect(80, '192.0.2.1').on('error', (unreachable) => { console.log(unreachable.code); process.exit(); });
      });`;
  const run = await script(['--link', 'delay=5ms'], text);
  expect(run.stdout).toBe('ECONNREFUSED\nENETUNREACH\n');
  expect(run.report).toMatchObject({ forward: { delivered: 1 }, back: { delivered: 1 } });
});

withTunAnd('srt-live-transmit')('lets SRT recover the losses of the link', async () => {
  const text = `
      const { spawn } = require('child_process');
      const srt = (...args) => spawn('srt-live-transmit', ['-q', ...args], { stdio: 'inherit' });
      const got = new Set();
      const sink = dgram.createSocket('udp4').bind(5000, '127.0.0.1');
      sink.on('message', (bytes) => got.add(bytes.readUInt32BE(0)));
      // Its deadline is far enough for processes that wait for their turn.
      srt('srt://0.0.0.0:9002?mode=listener&latency=4000', 'udp://127.0.0.1:5000');
      srt('udp://127.0.0.1:4000', 'srt://10.9.0.2:9002?mode=caller&latency=4000');
      const source = dgram.createSocket('udp4');
      const send = (number) => {
        const bytes = Buffer.alloc(1316);
        bytes.writeUInt32BE(number);
        source.send(bytes, 4000, '127.0.0.1');
      };
      const PROBE = 0xffffffff;
      const connecting = setInterval(() => {
        if (!got.delete(PROBE)) return send(PROBE);
        clearInterval(connecting);
        let sent = 0;
        let unchanged = 0;
        let size = 0;
        // Within the local sockets' buffers, which hold what SRT has not taken yet; ends when nothing more comes.
        const sending = setInterval(() => {
          got.delete(PROBE);
          unchanged = got.size === size ? unchanged + 1 : 0;
          size = got.size;
          if (sent < 1000) return send(sent++);
          if (size < 1000 && unchanged < 2000) return;
          clearInterval(sending);
          console.log(got.size);
          process.exit();
        }, 5);
      }, 50);`;
  const run = await script(['--link', 'loss=5% delay=20ms'], text);
  expect(run.report!.forward.lost).toBeGreaterThan(20);
  expect(Number(run.stdout)).toBeGreaterThan(990);
});

for (const transport of ['udp', 'tcp']) {
  withTun(`carries dropframe over ${transport}: every packet has one outcome, and most arrive`, async () => {
    const send = dropframe(
      'send',
      'samples/counter.h264',
      '--listen',
      '0.0.0.0:7000',
      '--insecure',
      '--exit-when-done',
      '-q',
    );
    const receive = dropframe(
      ...['receive', 'dropframe://10.9.0.2:7000', '--play', 'none', '-q', '--latency', '4000'],
      ...['--transport', transport, '--summary'],
    );
    const text = `
        const { spawn } = require('child_process');
        spawn(process.execPath, ${JSON.stringify(send)}, { stdio: 'inherit' });
        const summary = FOLDER + '/summary.json';
        spawn(process.execPath, [...${JSON.stringify(receive)}, summary], { stdio: 'inherit' }).on('exit', (code) => {
          console.log(fs.readFileSync(summary, 'utf8'));
          process.exit(code);
        });`;
    const run = await script(['--link', 'loss=2% delay=10ms', '--congestion', 'reno'], text);
    expect(run.code).toBe(0);
    const { frames, packets } = JSON.parse(run.stdout);
    expect(frames.total).toBe(360);
    expect(frames.onTime + frames.recovered).toBeGreaterThan(300);
    const recovered = packets.recoveredInRound.reduce((sum: number, count: number) => sum + count, 0);
    expect(
      packets.onTime + packets.reordered + recovered + packets.repaired + packets.late + packets.neverArrived,
    ).toBe(packets.total);
    // The receiver opens the connection, so media uses the way back.
    expect(run.report!.back.offeredBytes).toBeGreaterThan(1_000_000);
    expect(run.report!.back.lost).toBeGreaterThan(0);
  });
}

withTun('exits with the code of the command, as a shell does', async () => {
  const commands = [['true'], ['sh', '-c', 'exit 42'], ['sh', '-c', 'kill -TERM $$'], ['/dev/null']];
  const codes = [];
  for (const command of commands) codes.push((await inside(['-q'], command).ended).code);
  expect(codes).toEqual([0, 42, 143, 126]);
  const absent = await inside(['-q'], ['no-such-program']).ended;
  expect(absent).toMatchObject({
    code: 127,
    stderr: expect.stringMatching(/cannot run no-such-program: command not/),
  });
});

/** Command lines of the processes whose `$FOLDER` is this folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return environment.includes(`FOLDER=${folder}`) && command !== '' ? [command] : [];
      } catch {
        return [];
      }
    });
}

const started = (run: { readonly folder: string }, what: string) =>
  vi.waitFor(() => expect(processesOf(run.folder).map((command) => command.trim())).toContain(what), {
    ...PATIENCE,
  });
const allGone = (run: { readonly folder: string }) =>
  vi.waitFor(() => expect(processesOf(run.folder)).toEqual([]), PATIENCE);

const STUBBORN = 'trap "" TERM INT HUP; sleep 1234 & sleep 1234; sleep 1234';

withTun('kills every process left behind by a command, even if it ignores signals', async () => {
  const untilSeen = 'until [ -e "$FOLDER/seen" ]; do sleep 0.05; done';
  const run = inside(['-q'], ['sh', '-c', `(${STUBBORN}) & (setsid sleep 4321 &) ; ${untilSeen}`]);
  await started(run, 'sleep 4321');
  writeFileSync(join(run.folder, 'seen'), '');
  expect((await run.ended).code).toBe(0);
  await allGone(run);
});

withTun('leaves no process behind after a SIGKILL', async () => {
  const run = inside(['-q'], ['sh', '-c', STUBBORN]);
  await started(run, 'sleep 1234');
  run.child.kill('SIGKILL');
  await run.ended;
  await allGone(run);
});

withTun(
  'passes SIGTERM to the command, kills it after five seconds if it ignores it, and writes the report',
  async () => {
    const polite = inside(['-q'], ['sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.05; done']);
    const stubborn = inside(['-q'], ['sh', '-c', STUBBORN]);
    await started(polite, 'sleep 0.05');
    await started(stubborn, 'sleep 1234');
    polite.child.kill('SIGTERM');
    stubborn.child.kill('SIGTERM');
    expect(await polite.ended).toMatchObject({ code: 5, report: { end: { code: 5, signal: null } } });
    expect(await stubborn.ended).toMatchObject({ code: 137, report: { end: { code: null, signal: 'SIGKILL' } } });
    await allGone(stubborn);
  },
);

withTun('reads back the TCP settings, and explains one that the kernel refuses', async () => {
  const text = `
      const read = (name) => fs.readFileSync('/proc/sys/net/ipv4/' + name, 'utf8').trim();
      console.log(read('tcp_congestion_control'), read('tcp_notsent_lowat'));`;
  const run = await script(['--congestion', 'reno', '--notsent-lowat', '16384', '--mtu', '1400'], text);
  expect(run.stdout).toBe('reno 16384\n');
  expect(run.report).toMatchObject({ congestionControl: 'reno', notsentLowat: 16_384, mtu: 1_400, ipv6: true });
  const refused = await inside(['--congestion', 'nosuch'], ['true']).ended;
  expect(refused).toMatchObject({ code: 1, report: undefined });
  expect(refused.stderr).toMatch(
    /^dropframe: the kernel refuses TCP congestion control nosuch: .*modprobe tcp_nosuch$/m,
  );
});

withTun('fails before the command starts if the capture cannot be written', async () => {
  const run = await inside(['--pcap', join(ROOT, 'no/such/folder/x')], ['echo', 'started']).ended;
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toMatch(/^dropframe: cannot write the capture .*no such file or directory\n$/);
});

test.each([
  [['--tun'], /--tun: name a command/],
  [['--tun', '--listen', '127.0.0.1:0', '--', 'true'], /--listen cannot be used with --tun/],
  [['--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--notsent-lowat', '9'], /--notsent-lowat requires --tun/],
  [['--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--', 'curl'], /running a command \(curl\) requires --tun/],
  [['--tun', '--mtu', '100', '--', 'true'], /expected bytes from 576 to 65535/],
  [['--tun', '--congestion', '../x', '--', 'true'], /expected a name, such as reno/],
])('reports wrong usage in one line with exit code 2: link %j', (args, message) => {
  const run = spawnSync(process.execPath, dropframe('link', ...args), { cwd: ROOT, encoding: 'utf8' });
  expect(run.stderr).toMatch(message);
  expect(run.status).toBe(2);
});

withTun('prints counters every second with --json, and they never decrease', async () => {
  const text = `
      const server = dgram.createSocket('udp4').bind(9000);
      const client = dgram.createSocket('udp4');
      const timer = setInterval(() => client.send('x', 9000, '10.9.0.2'), 20);
      const ending = setInterval(() => fs.existsSync(FOLDER + '/seen') && process.exit(), 20);`;
  const running = startScript(['--json', '--link', 'loss=20% seed=3'], text);
  const reportsOf = (stderr: string) =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === 'statistics');
  // The command may start after the first of them.
  await vi.waitFor(() => {
    const counted = reportsOf(running.output.stderr).filter(({ forward }) => forward.offered > 0);
    expect(counted.length).toBeGreaterThan(2);
  }, PATIENCE);
  writeFileSync(join(running.folder, 'seen'), '');
  const run = await running.ended;
  const reports = reportsOf(run.stderr);
  expect(reports.length).toBeGreaterThanOrEqual(2);
  for (const { forward } of reports) {
    const { offered, duplicated, delivered, lost, overflowed, inFlight } = forward;
    expect(offered + duplicated).toBe(delivered + lost + overflowed + inFlight);
  }
  const offered = [...reports.map(({ forward }) => forward.offered), run.report!.forward.offered];
  expect(offered).toEqual(offered.toSorted((one, other) => one - other));
  // The first report may precede the command.
  expect(offered.at(-1)).toBeGreaterThan(offered[0]);
});
