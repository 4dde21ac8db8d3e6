/** Commands of rounds: run, cancel, back to the current one, accept a frame, export. */
import { BadgeCheck, Ban, Download, Layers, Play } from "lucide-preact";
import type { Opened } from "../studio/open";
import type { Sketch } from "./commands";
import { accept, lookAt } from "./head";
import { cancel, run } from "./rounds";

const group = "Rounds";

export function roundCommands(studio: Opened): Sketch[] {
  return [...running(studio), ...results(studio)];
}

function running(studio: Opened): Sketch[] {
  const { store } = studio;
  return [
    {
      id: "round.run",
      name: "Run round",
      group,
      icon: Play,
      keys: ["R", "Enter"],
      enabled: () => store.canDraw.value && store.connection.value === "live" && store.mine.value.length > 0,
      perform: () => run(studio),
    },
    {
      id: "round.cancel",
      name: "Cancel",
      group,
      icon: Ban,
      keys: ["Escape"],
      enabled: () => {
        const active = store.active.value;
        const stoppable = active !== null && !active.cancel_requested && store.canDraw.value;
        return stoppable || store.queue.value.length > 0;
      },
      perform: () => cancel(studio),
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

function results(studio: Opened): Sketch[] {
  const { store } = studio;
  return [
    {
      id: "frame.accept",
      name: "Accept or release this frame's mask",
      group,
      icon: BadgeCheck,
      keys: ["A"],
      enabled: () =>
        store.canDraw.value &&
        store.looking.value === null &&
        (store.facts.value[store.frame.value]?.round ?? null) !== null,
      pressed: () => store.accepted.value.has(store.frame.value),
      perform: () => accept(studio, store.frame.peek()),
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
