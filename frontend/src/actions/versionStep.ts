/** The undo step of a message that makes a version. It can be undone as soon as it was sent, before it is answered. */
import { signal } from "@preact/signals";
import { newKey } from "../connection/key";
import type { Step } from "../state/undoHistory";
import type { Studio } from "../studio/studio";
import { ARRIVES_WITHIN, headStep, moveBackFrom } from "./head";

interface Sent {
  readonly key: string;
  /** What became of the message: "arriving" is acknowledged, while the page does not have the version yet. */
  readonly state: "waiting" | "arriving" | "made" | "refused" | "withdrawn";
  readonly version: number | null;
  /** Whether it was undone between being sent and being acknowledged. */
  readonly undone: boolean;
}

/**
 * Sends a message with `send`, which resolves to the id of its version, or to null if it was refused, and returns the step
 * that undoes it. `made` is called when the version is made, unless it was undone meanwhile.
 */
export function versionStep(
  studio: Studio,
  send: (key: string) => Promise<number | null>,
  made: () => void,
): Omit<Step, "name"> {
  const { store, outbox } = studio;
  const sent = signal<Sent>({ key: "", state: "refused", version: null, undone: false });
  const change = (key: string, changed: Partial<Sent>) => {
    if (sent.peek().key === key) sent.value = { ...sent.peek(), ...changed };
  };
  const start = () => {
    const key = newKey();
    sent.value = { key, state: "waiting", version: null, undone: false };
    void send(key).then((version) => {
      if (version === null) {
        change(key, { state: "refused" });
        return;
      }
      const { undone } = sent.peek();
      change(key, { state: undone ? "made" : "arriving", version });
      setTimeout(() => change(key, { state: "made" }), ARRIVES_WITHIN);
      if (undone) moveBackFrom(studio, version);
      else made();
    });
  };
  const onHead = () => (sent.value.version === null ? null : headStep(studio, sent.value.version));
  const isArriving = () =>
    sent.value.state === "arriving" && store.rounds.value.get(sent.value.version ?? 0) === undefined;
  start();
  return {
    undoable: () => {
      if (sent.value.state === "waiting") return !sent.value.undone;
      return isArriving() || (onHead()?.undoable() ?? false);
    },
    undo: () => {
      const { key, version } = sent.peek();
      if (version !== null) moveBackFrom(studio, version);
      else change(key, outbox.withdraw(key) ? { state: "withdrawn" } : { undone: true });
    },
    redoable: () => sent.value.state === "withdrawn" || (onHead()?.redoable() ?? false),
    redo: () => {
      if (sent.peek().state === "withdrawn") start();
      else onHead()?.redo();
    },
  };
}
