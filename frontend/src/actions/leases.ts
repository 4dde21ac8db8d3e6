/** Asking for an object on which somebody else draws, handing one over, and taking one over. */
import { effect, untracked } from "@preact/signals";
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import { toast, toastError } from "../parts/Toast";
import { askedFor, heldByOther } from "../state/leases";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

const ASKED_STAY = 20_000; // ms, about as long as a lease lasts without a stroke

/** Tells the holder of an object that this person would like to draw on it. */
export function askFor({ outbox }: Studio, object: number): void {
  outbox.send({ type: "lease.ask", key: newKey(), object }).catch(toastError);
}

/** Takes an object from its holder. Only managers may do that. */
export function takeOver({ outbox }: Studio, object: number): void {
  outbox.send({ type: "lease.take", key: newKey(), object, over: true }).catch(toastError);
}

/** Lets others draw on an object that this person holds. */
export function handOver({ outbox }: Studio, object: number): void {
  outbox.send({ type: "lease.release", key: newKey(), object }).catch(toastError);
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
