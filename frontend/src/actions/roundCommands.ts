/** Commands of rounds: run, cancel, back to the current one, accept a frame, export. */
import { BadgeCheck, Ban, Download, Layers, Play } from "lucide-preact";
import type { RoleName } from "../protocol";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { acceptable, lookAt } from "./head";
import { cancel, framesToRun, run } from "./rounds";
import { acceptUsed, canAccept, isAccepted } from "./spans";

const group = "Rounds";

// The same rule as the server's: these roles may cancel rounds of others.
const STOPS_OTHERS: readonly RoleName[] = ["reviewer", "manager", "owner"];

export function roundCommands(studio: Studio): CommandSpec[] {
  return [...running(studio), ...results(studio)];
}

function running(studio: Studio): CommandSpec[] {
  const { store } = studio;
  return [
    {
      id: "round.run",
      name: "Run round",
      group,
      icon: Play,
      keys: ["R", "Enter"],
      enabled: () =>
        store.canDraw.value && store.connection.value === "live" && framesToRun(studio).length > 0,
      perform: () => run(studio),
    },
    {
      id: "round.cancel",
      name: "Cancel",
      group,
      icon: Ban,
      keys: ["Escape"],
      enabled: () => stoppable(studio) || store.queue.value.length > 0,
      perform: () => {
        // If the running round may not be cancelled, the person's own waiting rounds still can be.
        if (stoppable(studio)) cancel(studio);
        else store.queue.value = [];
      },
    },
    {
      id: "round.head",
      name: "Back to the current round",
      group,
      icon: Layers,
      keys: ["G", "Escape"],
      enabled: () => store.looking.value !== null,
      perform: () => lookAt(studio, null),
    },
  ];
}

/** Whether there is a round that this person may cancel: their own, or any round from reviewer upward. */
function stoppable({ store }: Studio): boolean {
  const active = store.ownActive.value ?? store.active.value;
  if (!active || active.cancel_requested || !store.canDraw.value) return false;
  return active.author.id === store.you.value?.id || STOPS_OTHERS.includes(store.role.value);
}

function results(studio: Studio): CommandSpec[] {
  const { store } = studio;
  return [
    {
      id: "frame.accept",
      name: "Accept or release the mask, or the selected span",
      group,
      icon: BadgeCheck,
      keys: ["A"],
      enabled: () => store.canDraw.value && store.looking.value === null && acceptableNow(studio),
      pressed: () => isAccepted(studio),
      perform: () => acceptUsed(studio, !isAccepted(studio)),
    },
    {
      id: "export.open",
      name: "Export",
      group,
      icon: Download,
      keys: ["X"],
      enabled: () => store.head.value !== null,
      perform: () => {
        store.dialog.value = "export";
      },
    },
  ];
}

/** A single frame is accepted only when its mask is loaded or was painted here, so that a person has seen it. */
function acceptableNow(studio: Studio): boolean {
  const { store } = studio;
  if (store.selection.value) return canAccept(studio);
  const frame = store.frame.value;
  return (
    acceptable(studio, frame) !== null || store.paintings.value.some((painting) => painting.frame === frame)
  );
}
