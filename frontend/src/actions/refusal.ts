/** The reasons why nothing can be drawn or painted now, as sentences that say what to do. */
import { toast } from "../parts/Toast";
import { covers } from "../state/ranges";
import type { Studio } from "../studio/studio";
import { lookAt } from "./head";
import { askFor, heldText } from "./leases";
import { lockedObjects } from "./painting";

const ONLY = {
  draw: "Scribbles can only be drawn",
  paint: "Masks can only be painted",
  click: "Clicks and boxes can only be made",
} as const;

/** Shows and returns the reason why `doing` ("draw") is not possible for an object; undefined if it is possible. */
export function refusal(
  studio: Studio,
  number: number,
  doing: "draw" | "paint" | "click",
): string | undefined {
  const { store } = studio;
  const say = (text: string, action?: { name: string; perform: () => void }): string => {
    toast({ text, tone: "info", ...(action && { action }) });
    return text;
  };
  if (!store.canDraw.peek()) return say(`You can look at this project, but not ${doing} in it.`);
  if (store.looking.peek() !== null) {
    const back = { name: "Back to the current round", perform: () => lookAt(studio, null) };
    return say(`You are looking at another round. ${ONLY[doing]} on the current round.`, back);
  }
  if (doing !== "draw" && number === 0)
    return say("This tool works on an object: choose one (1 to 9), or make a new one (N).");
  const object = store.alive.peek().find((other) => other.number === number);
  if (object && lockedObjects(store).has(number))
    return say(`“${object.name}” is locked. Unlock it (L) to ${doing} on it.`);
  const held = heldText(store, number);
  if (held && store.connection.peek() === "live")
    return say(held, { name: "Ask", perform: () => askFor(studio, number) });
  if (store.accepted.peek().has(store.frame.peek()))
    return say(`This frame is accepted: no round changes it. Release it (A) to ${doing} on it.`);
  if (object && covers(store.acceptedObjects.peek().get(number) ?? [], store.frame.peek()))
    return say(`“${object.name}” is accepted in this frame. Release it (Shift+L) to ${doing} on it.`);
  if (object && covers(store.absent.peek().get(number) ?? [], store.frame.peek()))
    return say(`“${object.name}” is marked absent in this frame. Take that back (U) to ${doing} on it.`);
  return undefined;
}
