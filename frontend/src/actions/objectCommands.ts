/** Commands of objects: choose one to draw for, add, hide, lock. */
import {
  ChevronDown,
  Circle,
  ClipboardPaste,
  Copy,
  EyeOff,
  Focus,
  Lock,
  Plus,
  Tag,
  Trash2,
} from "lucide-preact";
import { toast } from "../parts/Toast";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { copyMask, pasteMask } from "./maskClipboard";
import { addObject, deleteObject, toggleHidden, toggleLocked, toggleSolo } from "./objects";

/** Object ids are the values of a mask: 0 is the background, and 255 is reserved. */
const MOST_OBJECTS = 254;
const FULL = `A video has at most ${MOST_OBJECTS} objects. Deleted objects count, because their masks are kept.`;

/** The id of the field in the panel of the selected object. Typing in it finds a label by its first letters. */
export const LABEL_FIELD = "object-label-field";

/** Tools that work on no object: choosing an object to draw for chooses the scribble tool instead of them. */
const NO_OBJECT: readonly string[] = ["erase", "pan"];

export function objectCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const group = "Objects";
  const digits: CommandSpec[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((place) => ({
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
      if (NO_OBJECT.includes(store.tool.peek()) && store.canDraw.peek()) store.tool.value = "scribble";
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
      // Enabled even if no id is left, so that the person is told why.
      enabled: () => store.canDraw.value,
      perform: () => {
        if (store.objects.peek().length < MOST_OBJECTS) addObject(studio);
        else toast({ text: FULL, tone: "info" });
      },
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
      name: "Lock or unlock the object for everybody",
      group,
      icon: Lock,
      keys: ["L"],
      enabled: () => chosen() && store.canDraw.value,
      pressed: () =>
        store.objects.value.some(({ number, locked }) => number === store.selected.value && locked),
      perform: () => toggleLocked(studio, store.selected.peek()),
    },
    {
      id: "object.next",
      name: "Next object",
      group,
      icon: ChevronDown,
      keys: [],
      enabled: chosen,
      perform: () => {
        const objects = store.alive.peek();
        const at = objects.findIndex(({ number }) => number === store.selected.peek());
        store.selected.value = objects[(at + 1) % objects.length]?.number ?? store.selected.peek();
      },
    },
    {
      id: "object.label",
      name: "Label of the object",
      group,
      icon: Tag,
      keys: [","],
      enabled: () => chosen() && store.canDraw.value && store.labels.value.length > 0,
      perform: () => document.getElementById(LABEL_FIELD)?.focus(),
    },
    {
      id: "mask.copy",
      name: "Copy the object's mask in this frame",
      group,
      icon: Copy,
      keys: ["Ctrl+C"],
      enabled: chosen,
      perform: () => copyMask(studio, store.selected.peek()),
    },
    {
      id: "mask.paste",
      name: "Paste the copied mask as the object's mask in this frame",
      group,
      icon: ClipboardPaste,
      keys: ["Ctrl+V"],
      enabled: () => store.canDraw.value && store.selected.value > 0,
      perform: () => pasteMask(studio, store.selected.peek()),
    },
    {
      id: "object.solo",
      name: "Show the object alone",
      group,
      icon: Focus,
      keys: ["Shift+H"],
      enabled: chosen,
      pressed: () => store.view.value.solo === store.selected.value,
      perform: () => toggleSolo(studio, store.selected.peek()),
    },
    {
      id: "object.delete",
      name: "Delete the object",
      group,
      icon: Trash2,
      keys: ["Delete"],
      enabled: () => chosen() && store.canDraw.value,
      perform: () => {
        const object = store.alive.peek().find(({ number }) => number === store.selected.peek());
        if (object) deleteObject(studio, object);
      },
    },
  ];
}
