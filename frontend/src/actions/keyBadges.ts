/**
 * Shows the key of each button on it while Alt is held alone. The badges are drawn by tokens.css from the attribute
 * aria-keyshortcuts, so every button that names its key has one.
 */

const AFTER = 250; // ms: Alt with a drag or another key is no question about keys

export function showKeyBadges(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const root = document.documentElement;
  const hide = () => {
    clearTimeout(timer);
    delete root.dataset.keys;
  };
  const down = (event: KeyboardEvent) => {
    if (event.key !== "Alt") hide();
    else if (!event.repeat)
      timer = setTimeout(() => {
        root.dataset.keys = "shown";
      }, AFTER);
  };
  const up = (event: KeyboardEvent) => {
    if (event.key === "Alt" && root.dataset.keys) event.preventDefault(); // Browsers would open their menu.
    hide();
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("pointerdown", hide);
  addEventListener("blur", hide);
  return () => {
    hide();
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("pointerdown", hide);
    removeEventListener("blur", hide);
  };
}
