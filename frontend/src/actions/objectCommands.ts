/** Commands of objects: choose one to draw for, add, hide, lock. */
import { Circle, EyeOff, Lock, Plus } from "lucide-preact";
import { toast } from "../parts/Toast";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { addObject, toggleHidden, toggleLocked } from "./objects";

/** Object numbers are the values of a mask: 0 is the background, and 255 is reserved. */
const MOST_OBJECTS = 254;
const FULL = `A video has at most ${MOST_OBJECTS} objects. Deleted objects count, because their masks are kept.`;

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
      // Enabled even if no number is left, so that the person is told why.
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
      name: "Lock or unlock the object against scribbles",
      group,
      icon: Lock,
      keys: ["L"],
      enabled: chosen,
      pressed: () => store.view.value.locked.includes(store.selected.value),
      perform: () => toggleLocked(studio, store.selected.peek()),
    },
  ];
}
