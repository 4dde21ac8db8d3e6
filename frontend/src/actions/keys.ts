/** Keys to commands. What is typed into a field, a menu or a dialog never reaches a command. */
import type { Command } from "../studio/command";

/** "Ctrl+Shift+Z" for an event; letters in upper case, Shift only where it does not make the character itself. */
export function chord(event: KeyboardEvent): string {
  const letter = /^[a-z]$/i.test(event.key);
  const key = letter ? event.key.toUpperCase() : event.key;
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  const shift = event.shiftKey && (letter || event.key.length > 1) ? "Shift+" : "";
  return control + alt + shift + key;
}

function typing(target: EventTarget | null): boolean {
  // The focus may have left an open dialog (its control went away): its Escape, and nothing to the page behind it.
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog, [role=menu]")) return true;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type)
  );
}

/** Keys by which a focused control is used belong to it when it was reached with the keyboard. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input[type=range], [role=slider]")) return /^(Arrow|Home|End|Page)/.test(event.key);
  const control = target.closest("button, a[href], input, summary, [role=button], [role=option]");
  if (!control) return false;
  if (event.key === "Tab") return true;
  return [" ", "Enter"].includes(event.key) && control.matches(":focus-visible");
}

/** The command that a key means; of several the first that can do something now. */
export function commandFor(event: KeyboardEvent, commands: readonly Command[]): Command | undefined {
  if (event.defaultPrevented || event.isComposing || typing(event.target) || belongsToControl(event))
    return undefined;
  const pressed = chord(event);
  const meant = commands.filter((command) => command.keys.includes(pressed));
  return meant.find((command) => command.enabled()) ?? meant[0];
}

/**
 * Listens on the window. Space is play when it is tapped and pans while it is held, so it performs when it is let go,
 * unless `spaceUsed` says that something was dragged meanwhile. Escape first ends what is being drawn. Returns the end of it.
 */
export function listen(
  commands: readonly Command[],
  spaceUsed: () => boolean,
  cancelDrawing: () => boolean,
): () => void {
  let space: Command | undefined;
  const down = (event: KeyboardEvent): void => {
    const command = commandFor(event, commands);
    if (!command) return;
    // A key that can do nothing now is still ours: Ctrl+Z must not undo in a field elsewhere, Space must not scroll.
    // Tab is not: without a frame to go to it moves the focus.
    if (event.key !== "Tab" || command.enabled()) event.preventDefault();
    if (event.repeat && !command.repeats) return;
    if (event.key === "Escape" && cancelDrawing()) return;
    if (event.key === " ") space = command;
    else if (command.enabled()) command.perform();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key !== " " || !space) return;
    event.preventDefault(); // else a button that was clicked before would be clicked again
    if (!spaceUsed() && space.enabled()) space.perform();
    space = undefined;
  };
  const blur = (): void => {
    space = undefined;
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", blur);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("blur", blur);
  };
}
