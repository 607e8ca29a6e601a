import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import { CLOCK_RATE } from '../protocol/base/instant.ts';
import { parseSessionDescription } from '../protocol/sdp.ts';
import { type HostAndPort, readTarget } from './options.ts';

/** Where a stream comes from: a sender of ours, or a stranger's RTP to one of our own addresses. */
export type ReceiveTarget =
  | (HostAndPort & { readonly kind: 'dropframe' })
  | (HostAndPort & {
      readonly kind: 'rtp';
      readonly payloadType: number | undefined;
      readonly parameterSets: readonly Uint8Array[];
    });

/**
 * `dropframe://HOST:PORT`, `rtp://HOST:PORT`, or the name of an SDP file. Options that stand in a URL are set on the
 * command, unless they were given on the command line as well.
 */
export async function receiveTarget(text: string, command: Command): Promise<ReceiveTarget> {
  try {
    if (text.startsWith('rtp://')) {
      const { query, ...address } = readTarget(text, 'rtp');
      setOptions(query, command);
      return { kind: 'rtp', ...address, payloadType: undefined, parameterSets: [] };
    }
    if (!text.includes('://')) return await sdpTarget(text);
    const { query, ...address } = readTarget(text, 'dropframe');
    setOptions(query, command);
    return { kind: 'dropframe', ...address };
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new Failure(`${text}: ${error.message}`, 2);
    throw error;
  }
}

function setOptions(query: URLSearchParams, command: Command): void {
  for (const [name, value] of query) {
    const option = command.options.find((candidate) => candidate.long === `--${name}`);
    if (!option) throw new InvalidArgumentError(`'${name}' is no option of receive`);
    const key = option.attributeName();
    if (command.getOptionValueSource(key) === 'cli') continue;
    if (!option.required) command.setOptionValueWithSource(key, value !== 'false', 'cli');
    else {
      if (option.argChoices && !option.argChoices.includes(value)) {
        throw new InvalidArgumentError(`${name}=${value}: choose from ${option.argChoices.join(', ')}`);
      }
      command.setOptionValueWithSource(key, option.parseArg ? option.parseArg(value, undefined) : value, 'cli');
    }
  }
}

/** What is wrong with a session description, and in which of its lines. */
const SDP_CAUSES: Readonly<Record<string, string>> = {
  'not-sdp': 'it is no SDP file: no line reads v=0',
  'sdp-too-long': 'it is too long for an SDP file',
  'sdp-no-h264-stream': 'none of its m=video lines has an a=rtpmap line that says H264',
  'sdp-no-address': 'no c= line tells where the stream is sent to',
  'sdp-port': 'the port in its m=video line is not one from 1 to 65535',
  'sdp-parameter-sets': 'sprop-parameter-sets in its a=fmtp line is not base64',
};

async function sdpTarget(file: string): Promise<ReceiveTarget> {
  if (!/\.sdp$/i.test(file))
    throw new InvalidArgumentError('expected dropframe://HOST:PORT, rtp://HOST:PORT or FILE.sdp');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`cannot read ${file}: ${causeOf(error)}`);
  });
  const description = parseSessionDescription(text);
  if (!description.ok) throw new Failure(`${file}: ${SDP_CAUSES[description.malformed] ?? description.malformed}`);
  const { host, port, payloadType, parameterSets, clockRate } = description.value;
  if (clockRate !== CLOCK_RATE) {
    throw new Failure(`${file}: its a=rtpmap line says ${clockRate} ticks a second, and H264 has ${CLOCK_RATE}`);
  }
  return { kind: 'rtp', host, port, payloadType, parameterSets };
}
