/** Leases of objects: whoever draws on an object holds it for a while, and others cannot draw on it meanwhile. */
import type { LeaseInfo } from "../protocol";
import type { Store } from "./store";

/** Returns the lease of an object that somebody else holds; undefined if this person may draw on the object. */
export function heldByOther(
  { leases, you }: Pick<Store, "leases" | "you">,
  object: number,
): LeaseInfo | undefined {
  return leases.value.find((lease) => lease.object === object && lease.holder.id !== you.value?.id);
}

/** Returns the leases of this person for which somebody else has asked. */
export function askedFor({ leases, you }: Pick<Store, "leases" | "you">): LeaseInfo[] {
  return leases.value.filter(({ holder, asked_by }) => holder.id === you.value?.id && asked_by !== null);
}
