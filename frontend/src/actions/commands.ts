/**
 * Everything that a person can do in the studio, as values: one declaration serves the button, the key, the menu and
 * the help. A command reads signals in `enabled` and `pressed`, so whatever shows it follows by itself.
 */
import type { LucideIcon } from "lucide-preact";
import {
  BadgeCheck,
  Ban,
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  ChevronsLeft,
  ChevronsRight,
  Circle,
  CircleHelp,
  CircleSlash,
  Download,
  Eraser,
  EyeOff,
  GitCompare,
  Hand,
  Keyboard,
  Layers,
  Lock,
  Maximize,
  PenLine,
  Play,
  Plus,
  Redo2,
  Scan,
  SkipForward,
  Undo2,
  ZoomIn,
  ZoomOut,
} from "lucide-preact";
import type { Mode } from "../state/view";
import type { Opened } from "../studio/open";
import { accept, lookAt, moveHead, roundBack, roundForward } from "./head";
import { addObject, setView, toggleHidden, toggleLocked } from "./objects";
import { seek, step, togglePlay } from "./playback";
import { cancel, run } from "./rounds";
import { takeBack } from "./strokes";

export type Group = "Drawing" | "Objects" | "Rounds" | "Frames" | "View" | "Help";

export interface Command {
  id: string; // "frame.next"; its button has data-testid "frame-next"
  name: string;
  group: Group;
  icon: LucideIcon;
  /** As on KeyboardEvent.key, "Ctrl+Shift+Z" style; Ctrl is also the Mac's command key. */
  keys: readonly string[];
  perform: () => void;
  enabled: () => boolean;
  pressed?: () => boolean;
  /** Goes on while the key is held. */
  repeats?: boolean;
}

type Sketch = Omit<Command, "enabled"> & { enabled?: () => boolean };

const MODES: readonly Mode[] = ["overlay", "outline", "mask", "changes"];
const BRUSHES = [2, 4, 6, 10, 16, 24];

export function createCommands(studio: Opened): readonly Command[] {
  const sketches: Sketch[] = [
    ...drawing(studio),
    ...objects(studio),
    ...rounds(studio),
    ...frames(studio),
    ...views(studio),
  ];
  return sketches.map((sketch) => ({ enabled: () => true, ...sketch }));
}

function drawing(studio: Opened): Sketch[] {
  const { store, history } = studio;
  const can = () => store.canDraw.value;
  const tool = (name: typeof store.tool.value) => () => {
    store.tool.value = name;
  };
  const background = () => store.tool.value === "scribble" && store.selected.value === 0;
  const group = "Drawing";
  const brush = (by: number) => () =>
    setView(studio, ({ brush }) => {
      const at = BRUSHES.findIndex((width) => width >= brush);
      return { brush: BRUSHES[Math.max(0, Math.min(BRUSHES.length - 1, at + by))] ?? brush };
    });
  return [
    {
      id: "tool.scribble",
      name: "Scribble on the object",
      group,
      icon: PenLine,
      keys: ["S"],
      enabled: can,
      pressed: () => store.tool.value === "scribble" && store.selected.value !== 0,
      perform: () => {
        store.tool.value = "scribble";
        if (store.selected.peek() === 0) store.selected.value = store.alive.peek()[0]?.number ?? 1;
      },
    },
    {
      id: "tool.background",
      name: "Scribble on the background",
      group,
      icon: CircleSlash,
      keys: ["0", "B"],
      enabled: can,
      pressed: background,
      perform: () => {
        store.tool.value = "scribble";
        store.selected.value = 0;
      },
    },
    {
      id: "tool.erase",
      name: "Erase a waiting stroke",
      group,
      icon: Eraser,
      keys: ["E"],
      enabled: can,
      pressed: () => store.tool.value === "erase",
      perform: tool("erase"),
    },
    {
      id: "tool.pan",
      name: "Move the picture",
      group,
      icon: Hand,
      keys: ["P"],
      pressed: () => store.tool.value === "pan",
      perform: tool("pan"),
    },
    {
      id: "tool.keys",
      name: "Draw with the arrow keys",
      group,
      icon: Keyboard,
      keys: ["J"],
      enabled: can,
      pressed: () => store.keyPen.value,
      perform: () => {
        store.keyPen.value = !store.keyPen.peek();
      },
    },
    {
      id: "brush.smaller",
      name: "Thinner strokes on screen",
      group,
      icon: Circle,
      keys: ["["],
      perform: brush(-1),
    },
    {
      id: "brush.larger",
      name: "Thicker strokes on screen",
      group,
      icon: Circle,
      keys: ["]"],
      perform: brush(1),
    },
    {
      id: "undo",
      name: "Undo",
      group,
      icon: Undo2,
      keys: ["Ctrl+Z"],
      enabled: () => can() && (history.nextUndo() !== undefined || fallback(studio) !== undefined),
      perform: () => {
        if (!history.undo()) fallback(studio)?.();
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
        const round = roundForward(studio);
        if (!history.redo() && round !== undefined) moveHead(studio, round);
      },
    },
  ];
}

/** What undo does when the history of this page is empty: the newest own stroke that waits, else a round back. */
function fallback(studio: Opened): (() => void) | undefined {
  const newest = studio.store.mine.value.at(-1);
  if (newest) return () => takeBack(studio, newest);
  const back = roundBack(studio);
  return back === undefined ? undefined : () => moveHead(studio, back);
}

function objects(studio: Opened): Sketch[] {
  const { store } = studio;
  const group = "Objects";
  const digits: Sketch[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((place) => ({
    id: `object.${place}`,
    name: `Draw for object ${place}`,
    group,
    icon: Circle,
    keys: [String(place)],
    enabled: () => store.alive.value.length >= place,
    perform: () => {
      const object = store.alive.peek()[place - 1];
      if (!object) return;
      store.selected.value = object.number;
      if (store.tool.peek() !== "scribble" && store.canDraw.peek()) store.tool.value = "scribble";
    },
  }));
  const chosen = () => store.selected.value > 0 && store.alive.value.length > 0;
  return [
    ...digits,
    {
      id: "object.add",
      name: "New object",
      group,
      icon: Plus,
      keys: ["N"],
      enabled: () => store.canDraw.value && store.objects.value.length < 254,
      perform: () => addObject(studio),
    },
    {
      id: "object.hide",
      name: "Hide or show the object",
      group,
      icon: EyeOff,
      keys: ["H"],
      enabled: chosen,
      pressed: () => store.view.value.hidden.includes(store.selected.value),
      perform: () => toggleHidden(studio, store.selected.peek()),
    },
    {
      id: "object.lock",
      name: "Lock or unlock the object against strokes",
      group,
      icon: Lock,
      keys: ["L"],
      enabled: chosen,
      pressed: () => store.view.value.locked.includes(store.selected.value),
      perform: () => toggleLocked(studio, store.selected.peek()),
    },
  ];
}

function rounds(studio: Opened): Sketch[] {
  const { store } = studio;
  const group = "Rounds";
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

function frames(studio: Opened): Sketch[] {
  const { store } = studio;
  const group = "Frames";
  const last = () => (store.video.value?.frame_count ?? 1) - 1;
  const before = () => store.frame.value > 0;
  const after = () => store.frame.value < last();
  const go = (id: string, name: string, icon: LucideIcon, keys: string[], by: number): Sketch => ({
    id,
    name,
    group,
    icon,
    keys,
    repeats: true,
    enabled: by < 0 ? before : after,
    perform: () => step(studio, by),
  });
  return [
    {
      id: "play",
      name: "Play or pause",
      group,
      icon: Play,
      keys: [" "],
      enabled: () => last() > 0,
      pressed: () => store.playing.value,
      perform: () => togglePlay(studio),
    },
    go("frame.previous", "Previous frame", ChevronLeft, ["D", "ArrowLeft"], -1),
    go("frame.next", "Next frame", ChevronRight, ["F", "ArrowRight"], 1),
    go("frame.back10", "10 frames back", ChevronsLeft, ["C"], -10),
    go("frame.forward10", "10 frames forward", ChevronsRight, ["V"], 10),
    {
      id: "frame.first",
      name: "First frame",
      group,
      icon: ChevronFirst,
      keys: ["Home"],
      enabled: before,
      perform: () => seek(studio, 0),
    },
    {
      id: "frame.last",
      name: "Last frame",
      group,
      icon: ChevronLast,
      keys: ["End"],
      enabled: after,
      perform: () => seek(studio, last()),
    },
    {
      id: "frame.suggested",
      name: "Next frame to fix",
      group,
      icon: SkipForward,
      keys: ["Tab"],
      enabled: () => store.suggestion.value !== null,
      perform: () => {
        const next = store.suggestion.peek();
        if (next) seek(studio, next.frame);
      },
    },
  ];
}

function views(studio: Opened): Sketch[] {
  const { store, stage } = studio;
  const group = "View";
  const mode = (wanted: Mode) => setView(studio, () => ({ mode: wanted }));
  return [
    {
      id: "view.fit",
      name: "Fit the picture",
      group,
      icon: Maximize,
      keys: ["Ctrl+0"],
      perform: () => stage.fit(),
    },
    { id: "view.100", name: "100 %", group, icon: Scan, keys: ["Ctrl+1"], perform: () => stage.zoomTo(1) },
    {
      id: "view.in",
      name: "Zoom in",
      group,
      icon: ZoomIn,
      keys: ["+", "="],
      repeats: true,
      perform: () => stage.zoomBy(1.25),
    },
    {
      id: "view.out",
      name: "Zoom out",
      group,
      icon: ZoomOut,
      keys: ["-"],
      repeats: true,
      perform: () => stage.zoomBy(0.8),
    },
    {
      id: "view.mode",
      name: "Next way to show masks",
      group,
      icon: Layers,
      keys: ["M"],
      perform: () => mode(MODES[(MODES.indexOf(store.view.peek().mode) + 1) % MODES.length] as Mode),
    },
    {
      id: "view.compare",
      name: "Compare with the round before",
      group,
      icon: GitCompare,
      keys: ["W"],
      enabled: () => store.line.value.length > 1,
      pressed: () => store.view.value.mode === "changes",
      perform: () => mode(store.view.peek().mode === "changes" ? "overlay" : "changes"),
    },
    {
      id: "help.open",
      name: "Keys and gestures",
      group: "Help",
      icon: CircleHelp,
      keys: ["?"],
      perform: () => {
        store.dialog.value = "help";
      },
    },
  ];
}

/** Finds a command by its id; an unknown id is a mistake in the program. */
export function commandOf(commands: readonly Command[], id: string): Command {
  const command = commands.find((other) => other.id === id);
  if (!command) throw new Error(`There is no command “${id}”`);
  return command;
}
