/** Finds the command for a key. Keys that are typed into a field, a menu or a dialog never reach a command. */
import type { Command } from "../studio/command";

/**
 * Returns "Ctrl+Shift+Z" for an event. Letters are upper case; Shift is named only if it does not produce the
 * character.
 */
export function chord(event: KeyboardEvent): string {
  const letter = /^[a-z]$/i.test(event.key);
  const key = letter ? event.key.toUpperCase() : event.key;
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  const shift = event.shiftKey && (letter || event.key.length > 1) ? "Shift+" : "";
  return control + alt + shift + key;
}

function typing(target: EventTarget | null): boolean {
  // While a dialog is open, no key reaches the page behind it, even if the focus has left the dialog.
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog, [role=menu]")) return true;
  return target.isContentEditable || target.matches("select") || isTextField(target);
}

/** Whether text is typed into an element: also numbers and dates. */
export function isTextField(at: EventTarget | null): at is HTMLInputElement | HTMLTextAreaElement {
  if (at instanceof HTMLTextAreaElement) return true;
  return at instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(at.type);
}

/**
 * The control that was clicked last. Tab, Space and Enter do not press it again, because a person who clicks a button and
 * then presses Space wants to play the video. The selector :focus-visible cannot tell such a control from one that was
 * reached by keyboard: browsers match it as soon as any key is pressed.
 */
let clicked: EventTarget | null = null;

/** Notes which control was clicked. Returns a function that stops it. */
function watchClicks(): () => void {
  let pressing = false;
  const press = () => {
    pressing = true;
    // The click may be on what has the focus already, which then gets no new focus.
    clicked = document.activeElement === document.body ? null : document.activeElement;
  };
  const keyed = () => {
    pressing = false;
  };
  const focused = (event: FocusEvent) => {
    clicked = pressing ? event.target : null;
  };
  addEventListener("pointerdown", press, true);
  addEventListener("keydown", keyed, true);
  addEventListener("focusin", focused, true);
  return () => {
    clicked = null;
    removeEventListener("pointerdown", press, true);
    removeEventListener("keydown", keyed, true);
    removeEventListener("focusin", focused, true);
  };
}

/** Whether the key operates the focused control, which was reached with the keyboard. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input[type=range], [role=slider]")) return /^(Arrow|Home|End|Page)/.test(event.key);
  const control = target.closest("button, a[href], input, summary, [role=button], [role=option]");
  if (!control || control === clicked) return false;
  if (event.key === "Tab") return true;
  return [" ", "Enter"].includes(event.key) && control.matches(":focus-visible");
}

/** Returns the command of a key; of several commands the first that is enabled. */
export function commandFor(event: KeyboardEvent, commands: readonly Command[]): Command | undefined {
  if (event.defaultPrevented || event.isComposing || typing(event.target) || belongsToControl(event))
    return undefined;
  const pressed = chord(event);
  if (pressed === "Ctrl+C" && getSelection()?.isCollapsed === false) return undefined; // The person copies text.
  const meant = commands.filter((command) => command.keys.includes(pressed));
  return meant.find((command) => command.enabled()) ?? meant[0];
}

/**
 * Listens on the window. A tap of Space plays and holding it pans, so its command runs when the key is released, unless
 * `spaceUsed` says that the pointer dragged meanwhile. Escape first cancels drawing. Returns a function that stops it.
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
    // The default is prevented even if the command is disabled: Space must not scroll, Ctrl+Z must not change a field.
    // Tab is the exception: without a frame to go to, it moves the focus.
    if (event.key !== "Tab" || command.enabled()) event.preventDefault();
    if (event.repeat && !command.repeats) return;
    if (event.key === "Escape" && cancelDrawing()) return;
    if (event.key === " ") space = command;
    else if (command.enabled()) command.perform();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key !== " " || !space) return;
    event.preventDefault(); // Otherwise the button that has the focus would be clicked.
    if (!spaceUsed() && space.enabled()) space.perform();
    space = undefined;
  };
  const blur = (): void => {
    space = undefined;
  };
  const endClicks = watchClicks();
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", blur);
  return () => {
    endClicks();
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("blur", blur);
  };
}
