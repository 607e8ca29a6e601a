/**
 * Calls the action of a pressed key, unless the key is typed into a field or into an open dialog. Space is the page's,
 * whatever was clicked before: a focused button is pressed with Enter.
 */
export function listenForShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const actionOf = (event: KeyboardEvent): (() => void) | undefined => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event)) return undefined;
    return keys[event.key.toLowerCase()];
  };
  document.addEventListener('keydown', (event) => {
    const act = actionOf(event);
    if (act === undefined) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
  // Firefox presses a button when the space bar is released.
  document.addEventListener('keyup', (event) => {
    if (actionOf(event) !== undefined) event.preventDefault();
  });
}

function isTyped({ target, key }: KeyboardEvent): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  if (target instanceof HTMLInputElement) return target.type === 'text';
  // Letters and digits search a menu.
  return target instanceof HTMLSelectElement && key !== ' ';
}
