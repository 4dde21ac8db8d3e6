/** Uses the keys that the person has changed, which are kept with the account. */
import { effect } from "@preact/signals";
import { loadMe, me } from "../api/session";
import { toastError } from "../parts/Toast";
import { keyBindings } from "../state/keyBindings";
import type { Store } from "../state/store";

/**
 * Takes over the keys of the account once it is known who is signed in. A page that was opened at a video has not asked
 * for that yet: it asks when the connection is live. Until then, or if that fails, commands have their usual keys.
 * Returns a function that stops it.
 */
export function watchKeys(store: Store): () => void {
  let taken = false;
  let asked = false;
  return effect(() => {
    if (taken) return;
    if (me.value) {
      taken = true;
      keyBindings.value = me.value.key_bindings;
    } else if (!asked && store.connection.value === "live") {
      asked = true;
      loadMe().catch((problem) => {
        asked = false; // It is asked again when the connection is live again.
        toastError(problem);
      });
    }
  });
}
