/** The list of engines, and which engine the rounds of this page use. */
import { effect, type Signal, signal } from "@preact/signals";
import { call } from "../api/http";
import type { Engine } from "../api/types";
import { toastError } from "../parts/Toast";
import type { Store } from "../state/store";

/**
 * Loads the list and sets `store.engine` to a ready engine: the person's last choice, else the project's, else the
 * default.
 */
export function loadEngines(store: Store): Signal<readonly Engine[]> {
  const engines = signal<readonly Engine[]>([]);
  call("GET", "/api/engines").then((list) => {
    engines.value = list;
    const end = effect(() => {
      if (!store.video.value) return;
      store.engine.value = choose(list, [store.engine.peek(), store.video.value.engine]);
      queueMicrotask(() => end());
    });
  }, toastError);
  return engines;
}

/** Returns the first engine of `wanted` that is ready, else the default engine, else any engine that is ready. */
export function choose(engines: readonly Engine[], wanted: readonly string[]): string {
  const ready = engines.filter((engine) => engine.ready);
  for (const name of wanted) if (ready.some((engine) => engine.name === name)) return name;
  return (ready.find((engine) => engine.default) ?? ready[0])?.name ?? "default";
}
