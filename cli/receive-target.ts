import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import { CLOCK_RATE } from '../protocol/base/units.ts';
import { parseSessionDescription } from '../protocol/sdp.ts';
import { type HostAndPort, readTarget } from './options.ts';

/** Origin of a stream: a dropframe sender, or plain RTP sent to an address of this machine. */
export type ReceiveTarget =
  | (HostAndPort & { readonly kind: 'dropframe' })
  | (HostAndPort & {
      readonly kind: 'rtp';
      readonly payloadType: number | undefined;
      readonly parameterSets: readonly Uint8Array[];
    });

/**
 * Parses `dropframe://HOST:PORT`, `rtp://HOST:PORT`, or the name of an SDP file. Options in the URL are set on the
 * command, unless the command line gives them too.
 * @throws {Failure} for a malformed target or an unreadable file.
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
    if (!option) throw new InvalidArgumentError(`'${name}' is not an option of receive`);
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

/** Messages for the faults of a session description. */
const SDP_CAUSES: Readonly<Record<string, string>> = {
  'not-sdp': 'not an SDP file: no line reads v=0',
  'sdp-too-long': 'too long for an SDP file',
  'sdp-no-h264-stream': 'no m=video section has an a=rtpmap line with H264',
  'sdp-no-address': 'no c= line gives the destination address',
  'sdp-port': 'the port in the m=video line is not from 1 to 65535',
  'sdp-parameter-sets': 'sprop-parameter-sets in the a=fmtp line is not base64',
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
    throw new Failure(
      `${file}: the a=rtpmap line gives a clock rate of ${clockRate} Hz; H264 requires ${CLOCK_RATE} Hz`,
    );
  }
  return { kind: 'rtp', host, port, payloadType, parameterSets };
}
