import { stdout } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { quoted } from '../sim/link/loss/loss-words.ts';
import { type CommonOptions, Context } from './context.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import { readWhole } from './options.ts';

interface CaptureCommandOptions extends CommonOptions {
  readonly ssrc?: number;
  readonly clockRate?: number;
  readonly delay?: number;
  readonly direction: 'down' | 'up';
  readonly out?: string;
  readonly report?: string;
}

const FITS = 'Fit:';
const RESULTS = 'Results:';
const CLOCK_RATE_MAX = 10_000_000;

export function addCaptureCommand(lab: Command): void {
  lab
    .command('capture <file> [others...]')
    .description('fit a link to what a real path did: captures of RTP at one end or both, or traces of other tools')
    .optionsGroup(FITS)
    .addOption(
      new Option('--ssrc <number>', 'stream to fit, such as 0x1a2b3c4d (default: the longest)').argParser(readSsrc),
    )
    .addOption(
      new Option('--clock-rate <hz>', 'RTP clock of the stream (default: guessed from the capture)').argParser(
        readWhole({ min: 1, max: CLOCK_RATE_MAX }, 'a clock rate'),
      ),
    )
    .addOption(
      new Option('--delay <time>', 'least one-way delay, which captures seldom tell, such as 20ms').argParser(
        readDelay,
      ),
    )
    .addOption(
      new Option('--direction <name>', 'direction of a trace that has both').choices(['down', 'up']).default('down'),
    )
    .optionsGroup(RESULTS)
    .option('--out <file>', 'write a trace that replays the path: losses and delays, or the capacity')
    .option('--report <file>', 'write a page (HTML) that compares measured and fitted delays and runs of losses')
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION)
    .option('--json', 'print the fit as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .addHelpText(
      'after',
      `
Examples:
  dropframe lab capture receiver.pcapng                 one end: losses, and delays from RTP timestamps
  dropframe lab capture sender.pcap receiver.pcap       both ends: exact losses and delays, capacity
  dropframe lab capture receiver.pcap --delay 20ms --out office.path --report office.html
  dropframe lab capture trace.json --out cell.down      a trace of another tool (AlphaRTC, sparkrtc, CellReplay, ERRANT, Mahimahi)

The line that it prints works wherever a link is written: receive --link, link, link --tun, lab, the page. docs/CAPTURE.md
says what is measured how, and what each format cannot tell.`,
    )
    .action(run);
}

function readSsrc(text: string): number {
  const number = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 0 && number <= 0xffff_ffff)) throw new InvalidArgumentError('expected an SSRC such as 0x1a2b3c4d');
  return number;
}

/** Microseconds. */
function readDelay(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text);
  const us = match ? Number(match[1]) * { us: 1, ms: 1_000, s: 1_000_000 }[match[2] as 'us' | 'ms' | 's'] : Number.NaN;
  if (!(us <= 60_000_000)) throw new InvalidArgumentError('expected a time with its unit, such as 20ms, at most 60s');
  return us;
}

async function run(file: string, others: readonly string[], options: CaptureCommandOptions): Promise<void> {
  const [{ Failure }, { readFileHead }, { isCapture }] = await Promise.all([
    import('../io/os/failure.ts'),
    import('../io/capture/read-capture-file.ts'),
    import('../protocol/capture/capture-parser.ts'),
  ]);
  if (others.length > 1) throw new Failure('give one capture, or the one of the sender and the one of the receiver', 2);
  const context = new Context(options);
  if (isCapture(await readFileHead(file, 4))) await fitCapture(context, [file, ...others], options);
  else await readForeign(context, [file, ...others], options);
}

async function fitCapture(context: Context, files: readonly string[], options: CaptureCommandOptions): Promise<void> {
  const [{ openCapture }, { captureResult }, { captureText, captureJson }] = await Promise.all([
    import('../lab/capture/open-capture.ts'),
    import('../lab/capture/capture-result.ts'),
    import('./capture-text.ts'),
  ]);
  const opened = await openCapture({ files, ssrc: options.ssrc, clockRate: options.clockRate });
  for (const warning of opened.warnings) context.log.warn(warning);
  const result = captureResult(opened, options.delay);
  context.print(captureText(opened, result));
  if (options.out !== undefined) {
    const { pathRecording, RECORDING_MAX } = await import('../lab/capture/path-recording.ts');
    await write(options.out, pathRecording(result.fit, result.delayUs));
    if (result.fit.seconds * 1e6 > RECORDING_MAX) context.log.warn(`${options.out} has the first day of the capture`);
    context.print(`  replay: pathtrace=${fileWord(context, options.out)}`);
  }
  if (options.report !== undefined) {
    const { capturePage } = await import('../lab/capture/capture-page.ts');
    await write(options.report, [await capturePage(files, opened, result)]);
    context.print(`  page: ${options.report}`);
  }
  if (options.json) stdout.write(`${JSON.stringify(captureJson(opened, result))}\n`);
}

async function readForeign(context: Context, files: readonly string[], options: CaptureCommandOptions): Promise<void> {
  const [{ Failure }, { readTextFile }, { readForeignTrace }, { alignedText }] = await Promise.all([
    import('../io/os/failure.ts'),
    import('../io/capture/read-capture-file.ts'),
    import('../lab/capture/foreign-trace.ts'),
    import('../lab/report/text-table.ts'),
  ]);
  const [file = ''] = files;
  if (files.length > 1) throw new Failure(`${file} is not a capture; two files have to be captures of both ends`);
  const trace = readForeignTrace(await readTextFile(file), options.direction);
  if (!trace.ok) throw new Failure(`${file}: ${trace.malformed}`);
  const { format, line, capacity, facts, untold } = trace.value;
  const needsFile = capacity !== undefined && line.includes('trace=FILE');
  // A trace in Mahimahi's own format is replayed from where it is.
  const replayed = format === 'Mahimahi' ? file : options.out;
  const word = needsFile && replayed !== undefined ? fileWord(context, replayed) : 'FILE';
  const shown = line.replace('trace=FILE', () => `trace=${word}`);
  context.print(`${file}: ${format}`);
  context.print(alignedText(facts.map(([name, value]) => [name, value])));
  context.print(`  not told by this format: ${untold.join('; ')}`);
  if (options.out !== undefined && capacity !== undefined) await write(options.out, [capacity]);
  if (needsFile && replayed === undefined) context.log.warn('--out FILE writes the capacity that this link replays');
  context.print(`  link: ${shown}`);
  if (options.json) stdout.write(`${JSON.stringify({ kind: 'trace', format, link: shown, facts, untold })}\n`);
}

/** A file name as a link has it. */
function fileWord({ log }: Context, path: string): string {
  if (path.includes('"')) log.warn(`a link cannot name ${path}: rename it without quotation marks`);
  return quoted(path);
}

async function write(path: string, pieces: Iterable<string>): Promise<void> {
  const { writePieces } = await import('../io/capture/write-pieces.ts');
  await writePieces(path, pieces);
}
