/** A line below an object on which somebody else draws: who it is, and buttons to ask for it or to take it over. */
import { askFor, leasesMove, mayTakeOver, takeOver } from "../actions/leases";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { heldByOther } from "../state/leases";
import { useStudio } from "../studio/context";
import css from "./Objects.module.css";

export function Holder({ object }: { object: number }) {
  const studio = useStudio();
  const { store } = studio;
  const lease = heldByOther(store, object);
  if (!lease) return null;
  const asked = lease.asked_by?.id === store.you.value?.id;
  const moves = leasesMove(store);
  return (
    <li class={css.held} data-testid={`object-${object}-holder`}>
      <Avatar {...lease.holder} size={18} />
      <span class={css.who}>{lease.holder.name} draws here</span>
      {store.canDraw.value && (
        <Button
          size="small"
          testid={`object-${object}-ask`}
          disabled={asked || !moves}
          onClick={() => askFor(studio, object)}
        >
          {asked ? "Asked" : "Ask"}
        </Button>
      )}
      {mayTakeOver(store) && (
        <Button
          size="small"
          testid={`object-${object}-take-over`}
          disabled={!moves}
          onClick={() => takeOver(studio, object)}
        >
          Take over
        </Button>
      )}
    </li>
  );
}
