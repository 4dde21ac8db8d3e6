/** Asking for an object on which somebody else draws, handing one over, and taking one over. */
import { effect, untracked } from "@preact/signals";
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import type { Keyed } from "../connection/outboxStorage";
import { toast, toastError } from "../parts/Toast";
import { askedFor, heldByOther } from "../state/leases";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

const ASKED_STAY = 20_000; // ms, about as long as a lease lasts without a stroke

/** Whether leases can be asked for now. Without a connection it is not known who holds what by the time it is back. */
export function leasesMove({ connection }: Store): boolean {
  return connection.value === "live";
}

/** Sends a message about a lease; without a connection it says so instead, because the outbox would send it later. */
function send({ outbox, store }: Studio, message: Keyed): void {
  if (leasesMove(store)) outbox.send(message).catch(toastError);
  else toast({ text: "There is no connection to the server. Try again when it is back.", tone: "bad" });
}

/** Tells the holder of an object that this person would like to draw on it. */
export function askFor(studio: Studio, object: number): void {
  send(studio, { type: "lease.ask", key: newKey(), object });
}

/** Takes an object from its holder. Only managers may do that. */
export function takeOver(studio: Studio, object: number): void {
  send(studio, { type: "lease.take", key: newKey(), object, over: true });
}

/** Lets others draw on an object that this person holds. */
export function handOver(studio: Studio, object: number): void {
  send(studio, { type: "lease.release", key: newKey(), object });
}

export function mayTakeOver({ role }: Store): boolean {
  return role.value === "manager" || role.value === "owner";
}

/** Shows why a message was refused. If somebody else holds the object, the toast offers to ask for it. */
export function toastRefusal(studio: Studio, problem: unknown, object: number): void {
  if (!(problem instanceof Refused) || problem.code !== "held") {
    toastError(problem);
    return;
  }
  const action = { name: "Ask", perform: () => askFor(studio, object) };
  toast({ text: problem.message, tone: "bad", action });
}

/** Shows a toast when somebody asks for an object that this person holds. Returns a function that stops it. */
export function watchAsked(studio: Studio): () => void {
  let told: ReadonlySet<string> = new Set();
  return effect(() => {
    const asked = askedFor(studio.store);
    const names = asked.map(({ object, fence, asked_by }) => `${object}/${fence}/${asked_by?.id}`);
    untracked(() =>
      asked.forEach(({ object, asked_by }, index) => {
        if (told.has(names[index] as string)) return;
        const name = nameOf(studio.store, object);
        const action = { name: "Hand over", perform: () => handOver(studio, object) };
        toast({ text: `${asked_by?.name} asks for ${name}.`, tone: "info", action, stay: ASKED_STAY });
      }),
    );
    told = new Set(names);
  });
}

/** Returns why this person cannot draw on an object: who draws on it now. Undefined if nobody else does. */
export function heldText(store: Store, object: number): string | undefined {
  const lease = heldByOther(store, object);
  return lease && `${lease.holder.name} draws on ${nameOf(store, object)} now. Ask for it, or wait a little.`;
}

function nameOf(store: Store, object: number): string {
  return store.objects.peek().find(({ number }) => number === object)?.name ?? "an object";
}
