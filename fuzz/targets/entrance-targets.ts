import type { IncomingMessage, ServerResponse } from 'node:http';
import { Command } from 'commander';
import { addReceiveCommand } from '../../cli/receive.ts';
import { receiveTarget } from '../../cli/receive-target.ts';
import { addressAndQuery } from '../../io/net/host-and-port.ts';
import { Failure } from '../../io/os/failure.ts';
import { NetworkEntrance } from '../../io/web-server/network-entrance.ts';
import { hold } from '../fuzz-target.ts';
import { textTarget } from './text-target.ts';

/** Options of `receive` that a URL must never set. */
const COMMAND_LINE_ONLY = [
  ...['output', 'pcap', 'summary', 'play', 'pagePort', 'pageListen', 'link', 'rtcpTo', 'metrics', 'passphraseFile'],
  ...['json', 'openBrowser'],
];
const PORT_MAX = 65_535;

/** The URL given to `receive`, which comes from others. */
export const receiveUrlTarget = textTarget({
  name: 'receive-urls',
  seeds: [
    'dropframe://192.0.2.1:7000?fingerprint=3f9a&latency=200&recovery=none&transport=tcp',
    'dropframe://[2001:db8::1]:7000?redundancy=25%25&mend=5s&release=asap&on-loss=smear&timeout=9&no-audio',
    'dropframe://192.0.2.1?congestion=bbr&passphrase=four%20random%20words',
    'dropframe://192.0.2.1?output=x.mp4&page-port=1&link=loss%3D1%25&play=mpv',
    'rtp://192.0.2.1:5004?latency=300',
    'rist://@[::1]:5000?buffer=500',
    'example.org',
  ],
  read: async (text, observed) => {
    // Session descriptions are files, and have a target of their own.
    if (/\.sdp$/i.test(text)) return;
    const program = new Command();
    addReceiveCommand(program);
    const command = program.commands[0]!;
    const before = COMMAND_LINE_ONLY.map((name) => command.getOptionValue(name));
    try {
      const target = await receiveTarget(text, command);
      observed.see(target.kind);
      hold(target.host.length > 0, 'a target has a host');
      hold(target.port >= 0 && target.port <= PORT_MAX, 'a port has 16 bits');
      observed.see(
        Object.keys(command.opts())
          .filter((name) => command.getOptionValueSource(name) === 'cli')
          .join(),
      );
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      hold(!error.message.includes('\n'), 'what is wrong is one line');
      observed.reason(error.message);
    }
    const after = COMMAND_LINE_ONLY.map((name) => command.getOptionValue(name));
    hold(
      after.every((value, index) => value === before[index]),
      'a URL sets options of connection and delay only',
    );
  },
});

/** Stands for the token in an input. */
const TOKEN = 'TOKEN';

interface Entered {
  readonly entrance: NetworkEntrance;
  readonly token: string;
  readonly port: number;
}

let entered: Promise<Entered> | undefined;

/** One entrance for all inputs, whose port does not keep the process alive. */
async function enter(): Promise<Entered> {
  const entrance = await NetworkEntrance.open({ host: '127.0.0.1', port: 0 }, () => {});
  entrance.server.unref();
  const url = new URL(entrance.invitation.urls[0]!);
  return { entrance, token: url.searchParams.get('token')!, port: Number(url.port) };
}

/** The request line and the headers of a request to the page that is served to other devices. */
export const pageEntranceTarget = textTarget({
  name: 'page-entrance',
  seeds: [
    'GET /?token=TOKEN&lanes=2\nhost: 192.0.2.1:7081\norigin: https://192.0.2.1:7081',
    'GET /page.js\nhost: 192.0.2.1:7081\ncookie: other=1; __Host-dropframe-PORT=TOKEN; more="x"',
    'POST /upload\nhost: 192.0.2.1:7081\ncookie: __Host-dropframe-PORT=TOKEX',
    'GET /?token=wrong"><script>\nhost: rebound.example\ncookie: __Host-dropframe-1=TOKEN',
  ],
  read: async (text, observed) => {
    entered ??= enter();
    const { entrance, token, port } = await entered;
    const [line = '', ...rest] = text.replaceAll(TOKEN, token).replaceAll('PORT', String(port)).split('\n');
    const [method = '', url = ''] = line.split(' ');
    const headers = Object.fromEntries(
      rest.map((each) => [each.split(':', 1)[0]!.toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
    );
    const socket = {} as IncomingMessage['socket'];
    const request = { method, url, headers, socket } as unknown as IncomingMessage;
    let status = 0;
    let body = '';
    const set: string[] = [];
    const write = (written: string): void => {
      body = written;
    };
    const response = {
      setHeader: (name: string, value: string) => void set.push(`${name}: ${value}`),
      writeHead: (code: number) => {
        status = code;
        return { end: write };
      },
    } as unknown as ServerResponse;
    const isFirst = entrance.answersFirst(request, response);
    const isAdmitted = entrance.admits(request);
    observed.see(`${isFirst} ${isAdmitted} ${status} ${entrance.isOurHost(headers.origin, request)}`);
    hold(!isAdmitted || (headers.cookie ?? '').includes(token), 'nobody is admitted without the token in the cookie');
    const given = new URLSearchParams(addressAndQuery(url)[1]).get('token');
    hold(status !== 200 || given === token, 'no cookie without the token');
    hold(set.some((each) => each.startsWith('Set-Cookie')) === (status === 200), 'the cookie is for who has the token');
    const markup = body.replaceAll(/href="[^"<>]*"|url=[^"<>]*"/g, '');
    hold(!/<script|javascript:/i.test(markup), 'nothing of the address becomes markup');
    hold(isFirst || isAdmitted, 'everything else is answered');
  },
});
