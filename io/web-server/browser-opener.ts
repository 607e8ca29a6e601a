import { spawn } from '../os/spawn.ts';
import { hasDisplay } from '../players/open-player.ts';
import type { Environment } from '../players/player.ts';

/**
 * Opens an address in the desktop's browser and returns at once, with whether it tried. It does not try without a
 * display (`xdg-open` would start a text browser in the terminal). A browser that fails to start is not an error: the
 * address has been printed.
 */
export function openInBrowser(
  url: string,
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (!hasDisplay(environment, platform)) return false;
  const [command, ...rest] = openerFor(platform);
  // Detached and without open files of this process: the browser outlives it and keeps nothing open.
  const child = spawn(command, [...rest, url], { stdio: 'ignore', detached: true, env: { ...environment } });
  child.on('error', () => {});
  child.unref();
  return true;
}

/** `start` is a built-in of cmd; its first quoted argument would be a window title. */
function openerFor(platform: NodeJS.Platform): [string, ...string[]] {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  return ['xdg-open'];
}
