/** The undo step of a message that makes a version. It can be undone as soon as it was sent, before it is answered. */
import { signal } from "@preact/signals";
import { newKey } from "../connection/key";
import type { Step } from "../state/undoHistory";
import type { Studio } from "../studio/studio";
import { ARRIVES_WITHIN, headStep, moveBackFrom, moveBackOnceMade } from "./head";

interface Sent {
  readonly key: string;
  /** What became of the message: "arriving" is acknowledged, while the page does not have the version yet. */
  readonly state: "waiting" | "arriving" | "made" | "refused" | "withdrawn";
  readonly version: number | null;
  /** Whether it was undone between being sent and being acknowledged. */
  readonly undone: boolean;
  /** Resolves to the id of the version, to null if it was refused. */
  readonly answered: Promise<number | null>;
}

const NOTHING: Sent = {
  key: "",
  state: "refused",
  version: null,
  undone: false,
  answered: Promise.resolve(null),
};

/**
 * Sends a message with `send`, which resolves to the id of its version, or to null if it was refused, and returns the step
 * that undoes it. `made` is called when the version is made, unless it was undone meanwhile. `send` is also given a function
 * that says whether it was. `withdrawn` is called if the message is taken back before it was sent, and so never answered.
 */
export function versionStep(
  studio: Studio,
  send: (key: string, undone: () => boolean) => Promise<number | null>,
  made: () => void,
  withdrawn: () => void = () => {},
): Omit<Step, "name"> {
  const { store, outbox, history } = studio;
  const sent = signal<Sent>(NOTHING);
  const change = (key: string, changed: Partial<Sent>) => {
    if (sent.peek().key === key) sent.value = { ...sent.peek(), ...changed };
  };
  const start = () => {
    const key = newKey();
    const undone = () => sent.peek().key === key && sent.peek().undone;
    sent.value = { ...NOTHING, key, state: "waiting" };
    const answered = send(key, undone).then((version) => {
      if (version === null) {
        change(key, { state: "refused" });
        return null;
      }
      change(key, { state: undone() ? "made" : "arriving", version });
      setTimeout(() => change(key, { state: "made" }), ARRIVES_WITHIN);
      if (!undone()) made();
      return version;
    });
    change(key, { answered });
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
      const { key, version, answered } = sent.peek();
      if (version !== null) history.waitFor(moveBackFrom(studio, version));
      else if (outbox.withdraw(key)) {
        change(key, { state: "withdrawn" });
        withdrawn();
      } else {
        change(key, { undone: true });
        history.waitFor(moveBackOnceMade(studio, answered));
      }
    },
    redoable: () => sent.value.state === "withdrawn" || (onHead()?.redoable() ?? false),
    redo: () => {
      if (sent.peek().state === "withdrawn") start();
      else onHead()?.redo();
    },
  };
}
