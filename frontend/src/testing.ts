/**
 * Vitest runs this before each test file. Test files share modules and one document, which takes a tenth of the time that
 * a document and modules for each file take, so whatever an earlier file left is cleared here.
 */
import "preact/compat"; // The page imports it, and it changes which events some handlers listen to (focusout for blur).
import { vi } from "vitest";
import { toasts } from "./parts/Toast";

/** Clears what an earlier test file left in the document, and in the modules that all files share. */
export async function clear(): Promise<void> {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  toasts.value = [];
  if (typeof document === "undefined") return; // The modules below need one.
  (await import("./parts/testing")).hide();
  document.body.replaceChildren();
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  const { parse, query, route } = await import("./route");
  query.value = new URLSearchParams();
  route.value = parse("/");
  (await import("./api/session")).me.value = undefined;
  (await import("./state/keyBindings")).keyBindings.value = {};
  (await import("./uploads/queue")).jobs.value = [];
  (await import("./parts/Confirm")).asked.value = null;
  (await import("./pages/draft")).forgetDrafts();
}

await clear();
