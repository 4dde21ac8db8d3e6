/** Commands of drawing: the width of scribbles on screen, undo and redo. */
import { Circle, Redo2, Undo2 } from "lucide-preact";
import { toast } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import { isActive } from "../state/line";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { stepBrush } from "./brushSize";
import { moveHead, roundBack, roundForward } from "./head";
import { takeBack } from "./scribbles";

export function drawingCommands(studio: Studio): CommandSpec[] {
  return [...brushes(studio), ...undoing(studio)];
}

const group = "Drawing";

function brushes(studio: Studio): CommandSpec[] {
  return [
    {
      id: "brush.smaller",
      name: "Smaller brush, thinner scribbles",
      group,
      icon: Circle,
      keys: ["["],
      repeats: true,
      perform: () => stepBrush(studio, -1),
    },
    {
      id: "brush.larger",
      name: "Larger brush, thicker scribbles",
      group,
      icon: Circle,
      keys: ["]"],
      repeats: true,
      perform: () => stepBrush(studio, 1),
    },
  ];
}

function undoing(studio: Studio): CommandSpec[] {
  const { store, history } = studio;
  const can = () => store.canDraw.value && !history.waiting.value;
  return [
    {
      id: "undo",
      name: "Undo",
      group,
      icon: Undo2,
      keys: ["Ctrl+Z"],
      enabled: () => can() && (history.nextUndo() !== undefined || fallback(studio) !== undefined),
      perform: () => {
        const name = history.nextUndo()?.name;
        const undone = history.undo() ? name : fallback(studio)?.();
        if (undone) tellOnce(studio, `Undid ${undone}.`);
      },
    },
    {
      id: "redo",
      name: "Redo",
      group,
      icon: Redo2,
      keys: ["Ctrl+Shift+Z", "Ctrl+Y"],
      enabled: () => can() && (history.nextRedo() !== undefined || roundForward(studio) !== undefined),
      perform: () => {
        const name = history.nextRedo()?.name;
        const redone = history.redo() ? name : goForward(studio);
        if (redone) tellOnce(studio, `Redid ${redone}.`);
      },
    },
  ];
}

/**
 * What undo does if the history of this page is empty: remove the person's newest waiting scribble, else go back a
 * round. Undo leaves a round of another person alone and says where the person can go back from it. The function returns
 * the name of what it has undone.
 */
function fallback(studio: Studio): (() => string | undefined) | undefined {
  const { store } = studio;
  const newest = store.mine.value.at(-1);
  if (newest) return () => takeBack(studio, newest);
  const back = roundBack(studio);
  const head = store.head.value === null ? undefined : store.rounds.value.get(store.head.value);
  if (!head || back === undefined) return undefined;
  if (head.author.id !== store.you.value?.id)
    return () => {
      toast({ text: notYours(head) });
      return undefined;
    };
  return () => {
    studio.history.waitFor(moveHead(studio, back));
    return `round ${head.number}`;
  };
}

/** Goes to the round to which redo leads if the history of this page is empty. Returns its name. */
function goForward(studio: Studio): string | undefined {
  const round = roundForward(studio);
  if (round === undefined) return undefined;
  studio.history.waitFor(moveHead(studio, round));
  return `round ${studio.store.rounds.peek().get(round)?.number ?? ""}`.trim();
}

const STAY = 3000; // ms

/** Says what was undone or redone, since it may be out of sight, once it was. */
function tellOnce({ history }: Studio, text: string): void {
  const tell = () => toast({ text, tone: "info", stay: STAY });
  if (history.waiting.peek()) void history.settled.then((happened) => happened && tell());
  else tell();
}

function notYours(round: RoundInfo): string {
  const when = isActive(round) ? "When it has ended, the" : "The";
  return `Round ${round.number} is ${round.author.name}'s: Undo leaves it alone. ${when} rounds list can go back.`;
}
