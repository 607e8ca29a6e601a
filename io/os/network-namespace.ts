import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { getuid } from 'node:process';
import { causeOf, Failure } from './failure.ts';

/** Time limit of a probe, milliseconds; creating a namespace takes about ten. */
const PROBE_MS = 5_000;

const SILENT = `unknown: unshare gave no answer within ${PROBE_MS / 1_000} s`;

/**
 * Network, process and mount namespaces, which disappear when the first process inside ends or unshare is killed. Root
 * needs no user namespace, and without one keeps access to files of other users.
 */
const NAMESPACES = ['--net', '--pid', '--mount', '--fork', '--kill-child=KILL'];
const AS_USER = ['--user', '--map-root-user'];

/** Reason why no namespace can be created. */
export interface Obstacle {
  readonly detail: string;
  readonly remedy: string;
}

/**
 * Returns the arguments of unshare(1) that work on this machine for this user, found by trying, or the reason why none
 * do.
 */
export async function tryNamespaces(): Promise<{ readonly arguments: readonly string[] } | Obstacle> {
  const attempts = getuid?.() === 0 ? [NAMESPACES, [...AS_USER, ...NAMESPACES]] : [[...AS_USER, ...NAMESPACES]];
  let detail = '';
  for (const attempt of attempts) {
    const refusal = await refusalOf(attempt);
    if (refusal === undefined) return { arguments: attempt };
    detail = refusal;
  }
  return { detail, remedy: detail === SILENT ? 'try again on an idle machine' : remedy() };
}

/** Like `tryNamespaces`. @throws {Failure} with the obstacle and its remedy when there is no namespace. */
export async function namespaceArguments(): Promise<readonly string[]> {
  const found = await tryNamespaces();
  if ('arguments' in found) return found.arguments;
  throw new Failure(`cannot create a network namespace: ${found.detail}; ${found.remedy}`, 3);
}

/** Returns why unshare fails with these options; `undefined` when it works. */
function refusalOf(options: readonly string[]): Promise<string | undefined> {
  // Configuring the loopback device needs network rights that some systems withhold from user namespaces.
  const command = ['ip', 'link', 'set', 'lo', 'up'];
  return new Promise((resolve) => {
    execFile('unshare', [...options, ...command], { timeout: PROBE_MS }, (error, _out, complaint) => {
      if (error === null) return resolve(undefined);
      if (error.code === 'ENOENT') return resolve('the program unshare is missing');
      if (error.killed === true) return resolve(SILENT);
      resolve(complaint.trim().split('\n').at(-1) || error.message);
    });
  });
}

/** Returns the remedy for the most likely obstacle. */
function remedy(): string {
  if (isSet('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1')) {
    return 'AppArmor blocks it: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root';
  }
  if (isSet('/proc/sys/kernel/unprivileged_userns_clone', '0')) {
    return 'it is restricted to root: sudo sysctl -w kernel.unprivileged_userns_clone=1, or run as root';
  }
  if (isSet('/proc/sys/user/max_user_namespaces', '0')) {
    return 'the limit of user namespaces is 0: sudo sysctl -w user.max_user_namespaces=10000, or run as root';
  }
  return 'install util-linux (unshare) and iproute2 (ip); in a container, add privileges (such as --privileged)';
}

function isSet(path: string, value: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').trim() === value;
}

/** Runs ip(8) with one command per line. @throws {Failure} with its error message. */
export async function configureNetwork(lines: readonly string[]): Promise<void> {
  const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  child.stdin.on('error', () => {}); // ip exited before it read everything; its error output says why
  child.stdin.end(`${lines.join('\n')}\n`);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', () => reject(new Failure('the program ip is missing: install iproute2', 3)));
    child.once('close', resolve);
  });
  if (status !== 0)
    throw new Failure(`cannot configure the network of the namespace: ${complaint.trim().split('\n')[0]}`);
}

/**
 * Reads a setting of this network namespace, such as `ipv4/tcp_congestion_control`; `undefined` if it does not exist.
 */
export async function readNetworkSetting(name: string): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/sys/net/${name}`, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

/** Writes a setting of this network namespace. @throws the system error when the kernel refuses. */
export async function writeNetworkSetting(name: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/net/${name}`, value);
}

export interface TcpSettings {
  /** Name of the congestion control, such as reno, cubic or bbr. */
  readonly congestionControl: string;
  /** Unsent bytes above which a socket is not writable, tcp(7); 4,294,967,295: no limit. */
  readonly notsentLowat: number;
}

/**
 * Sets the behaviour of kernel TCP in this namespace, and reads back the values in force.
 * @throws {Failure} when the kernel refuses, with the setting that would allow it.
 */
export async function setTcp(wanted: { readonly [K in keyof TcpSettings]?: TcpSettings[K] | undefined }) {
  const { congestionControl, notsentLowat } = wanted;
  if (congestionControl !== undefined) await setCongestionControl(congestionControl);
  if (notsentLowat !== undefined) {
    try {
      await writeNetworkSetting('ipv4/tcp_notsent_lowat', String(notsentLowat));
    } catch (error) {
      throw new Failure(`the kernel refuses tcp_notsent_lowat ${notsentLowat}: ${causeOf(error)}`);
    }
  }
  const inForce: TcpSettings = {
    congestionControl: (await readNetworkSetting('ipv4/tcp_congestion_control')) ?? 'unknown',
    notsentLowat: Number(await readNetworkSetting('ipv4/tcp_notsent_lowat')),
  };
  if (congestionControl !== undefined && inForce.congestionControl !== congestionControl) {
    throw new Failure(
      `TCP congestion control ${congestionControl} was requested, but the kernel uses ${inForce.congestionControl}`,
    );
  }
  if (notsentLowat !== undefined && inForce.notsentLowat !== notsentLowat) {
    throw new Failure(`tcp_notsent_lowat ${notsentLowat} was requested, but the kernel uses ${inForce.notsentLowat}`);
  }
  return inForce;
}

async function setCongestionControl(name: string): Promise<void> {
  try {
    await writeNetworkSetting('ipv4/tcp_congestion_control', name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const refusal = `the kernel refuses TCP congestion control ${name}: `;
    if (code === 'ENOENT') throw new Failure(`${refusal}the module is not loaded; sudo modprobe tcp_${name}`);
    if (code !== 'EPERM') throw new Failure(`${refusal}${causeOf(error)}`);
    const allowed = (await readNetworkSetting('ipv4/tcp_allowed_congestion_control')) ?? '';
    const more = `${allowed} ${name}`.trim();
    throw new Failure(
      `${refusal}it is not allowed in a namespace; sudo sysctl -w net.ipv4.tcp_allowed_congestion_control="${more}"`,
    );
  }
}
