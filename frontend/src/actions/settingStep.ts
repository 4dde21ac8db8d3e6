/** The undo steps of what the page shows only once the server has done it: accepting, and marking objects absent. */
import type { Step } from "../state/undoHistory";
import type { Studio } from "../studio/studio";

export interface Setting {
  name: string;
  /** What was set: the step is undone by setting the opposite. */
  value: boolean;
  /** The key of the message that has set it. */
  key: string;
  /** Sends the messages that set `value` again, or take it back, and returns their keys. */
  send(value: boolean): string[];
  /** Whether the server has set `value`, as far as the page knows. Reads signals. */
  isSet(value: boolean): boolean;
}

/**
 * Returns an undo step that can also be undone and redone while its messages wait for an answer. A message that was not
 * sent yet is withdrawn; after one that the server may know, the opposite is sent.
 */
export function settingStep({ store, outbox }: Studio, setting: Setting): Step {
  const { name, value, send, isSet } = setting;
  let newest = [setting.key];
  const keys = new Set(newest);
  const isWaiting = () => outbox.count.value > 0 && [...keys].some((key) => outbox.has(key));
  const can = (from: boolean) => store.canDraw.value && (isWaiting() || isSet(from));
  const change = (to: boolean) => {
    const withdrawn = newest.filter((key) => outbox.withdraw(key));
    newest = newest.length > 0 && withdrawn.length === newest.length ? [] : send(to);
    for (const key of newest) keys.add(key);
  };
  return {
    name,
    undoable: () => can(value),
    undo: () => change(!value),
    redoable: () => can(!value),
    redo: () => change(value),
  };
}
