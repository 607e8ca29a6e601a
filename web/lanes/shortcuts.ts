/** Calls the action of a pressed key, unless the key is typed into a field or belongs to the focused button. */
export function listenForShortcuts(keys: Readonly<Record<string, () => void>>): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const { target } = event;
    // Typing in a field is not a shortcut, and space on a button presses the button.
    if (target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type === 'text')) return;
    if (event.key === ' ' && target instanceof HTMLButtonElement) return;
    const act = keys[event.key.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
