/**
 * Vitest runs this before each test file. Test files share modules and one document, which takes a tenth of the time that
 * a document and modules for each file take, so whatever an earlier file left is cleared here.
 */
import "preact/compat"; // The page imports it, and it changes which events some handlers listen to (focusout for blur).
import { vi } from "vitest";
import { toasts } from "./parts/Toast";

vi.useRealTimers();
vi.unstubAllGlobals();
toasts.value = [];
if (typeof document !== "undefined") {
  document.body.replaceChildren();
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
}
