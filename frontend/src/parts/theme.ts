/**
 * The theme of the page: light, dark, or as the operating system says. It is kept in this browser and not with the
 * account, because a screen in a dark room wants another theme than one at a window.
 */
import { computed, effect, signal } from "@preact/signals";

export const THEMES = ["system", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

const NAME = "maskwright.theme";
// Tests that run without a page have no matchMedia.
const system = globalThis.matchMedia?.("(prefers-color-scheme: light)");
const systemIsLight = signal(system?.matches ?? false);
system?.addEventListener("change", (event) => {
  systemIsLight.value = event.matches;
});

export const theme = signal<Theme>(recalled());

/** The theme that is shown. */
export const shownTheme = computed<"dark" | "light">(() =>
  theme.value === "system" ? (systemIsLight.value ? "light" : "dark") : theme.value,
);

function recalled(): Theme {
  try {
    const kept = localStorage.getItem(NAME);
    return THEMES.find((name) => name === kept) ?? "system";
  } catch {
    return "system"; // Storage is disabled.
  }
}

export function setTheme(wanted: Theme): void {
  theme.value = wanted;
  try {
    localStorage.setItem(NAME, wanted);
  } catch {
    // Private windows refuse to store. The theme then holds until the page is closed.
  }
}

/** Switches to the other theme than the one that is shown. */
export function toggleTheme(): void {
  setTheme(shownTheme.peek() === "light" ? "dark" : "light");
}

/** Applies the theme to the page now and whenever it changes. */
export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = shownTheme.value;
  });
}
