import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readFingerprint } from '../io/crypto/fingerprint.ts';
import { causeOf, Failure } from '../io/os/failure.ts';

/** Heading of these options in --help. */
const ENCRYPTION = 'Encryption:';

export interface PassphraseOptions {
  readonly passphrase?: string;
  readonly passphraseFile?: string;
}

export interface SenderEncryptionOptions extends PassphraseOptions {
  readonly certificate?: string;
  readonly key?: string;
  readonly insecure?: boolean;
}

export interface ReceiverEncryptionOptions extends PassphraseOptions {
  readonly fingerprint?: string;
}

const addPassphraseOptions = (command: Command): Command =>
  command
    .option(
      '--passphrase <text>',
      'passphrase shared by both ends (also: DROPFRAME_PASSPHRASE, which other users cannot see)',
    )
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file');

/** Adds the options by which a sender encrypts its stream. */
export function addSenderEncryption(command: Command): Command {
  command
    .optionsGroup(ENCRYPTION)
    .option('--certificate <file>', 'certificate in PEM; without it, one is made for this run when others can connect')
    .option('--key <file>', 'private key of the certificate, in PEM');
  return addPassphraseOptions(command).option('--insecure', 'send without encryption, also to other machines');
}

/** Adds the options by which a receiver knows its sender. */
export function addReceiverEncryption(command: Command): Command {
  command.optionsGroup(ENCRYPTION).addOption(
    new Option(
      '--fingerprint <hex>',
      "SHA-256 of the sender's certificate; part of the URL that an encrypted sender prints",
    ).argParser((text) => {
      const fingerprint = readFingerprint(text);
      if (fingerprint === undefined) throw new InvalidArgumentError('expected 64 hexadecimal digits');
      return fingerprint;
    }),
  );
  return addPassphraseOptions(command);
}

/**
 * Returns the passphrase of the command line, of a file, or of the environment.
 * @throws {Failure} when there are two, or the file cannot be read.
 */
export function passphraseOf({ passphrase, passphraseFile }: PassphraseOptions): string | undefined {
  if (passphrase !== undefined && passphraseFile !== undefined) {
    throw new Failure('--passphrase and --passphrase-file cannot be combined', 2);
  }
  if (passphrase !== undefined) return passphrase;
  if (passphraseFile !== undefined) return firstLineOf(passphraseFile, 'the passphrase');
  const { DROPFRAME_PASSPHRASE: inherited } = env;
  return inherited === '' ? undefined : inherited;
}

/** Returns the first line of a file with a secret. @throws {Failure} when it cannot be read. */
export function firstLineOf(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0]!;
  } catch (error) {
    throw new Failure(`cannot read ${what} in ${file}: ${causeOf(error)}`, 2);
  }
}
