/** What the page says of actions that nothing on it shows while there is no connection. */
import { toast } from "../parts/Toast";
import type { Studio } from "../studio/studio";

/** Says that what was just done is sent later, if there is no connection. */
export function tellIfKept({ store }: Studio): void {
  if (store.connection.peek() === "live") return;
  toast({ text: "There is no connection. This is kept here and done when it is back.", tone: "info" });
}
