/** Commands of the selected span of frames. */
import {
  ArrowLeftToLine,
  ArrowRightToLine,
  BadgeCheck,
  BoxSelect,
  ChevronLeft,
  ChevronRight,
  EyeOff,
  Flag,
  X,
} from "lucide-preact";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { isAbsent, markAbsent } from "./edits";
import { acceptObject, isObjectAccepted, rejectObject } from "./objectReview";
import { mark, setScope } from "./scope";
import { extendSelection, spanInUse } from "./selection";

const group = "Frames";

export function selectionCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const last = () => (store.video.value?.frame_count ?? 1) - 1;
  const extend = (id: string, name: string, keys: string[], by: number): CommandSpec => ({
    id,
    name,
    group,
    icon: by < 0 ? ChevronLeft : ChevronRight,
    keys,
    repeats: true,
    perform: () => extendSelection(studio, by),
  });
  return [
    extend("span.back", "Select one frame back", ["Shift+ArrowLeft"], -1),
    extend("span.forward", "Select one frame forward", ["Shift+ArrowRight"], 1),
    extend("span.back10", "Select 10 frames back", ["Shift+C", "Shift+PageUp"], -10),
    extend("span.forward10", "Select 10 frames forward", ["Shift+V", "Shift+PageDown"], 10),
    {
      id: "span.first",
      name: "Select to the first frame",
      group,
      icon: ChevronLeft,
      keys: ["Shift+Home"],
      perform: () => extendSelection(studio, -store.frame.peek()),
    },
    {
      id: "span.last",
      name: "Select to the last frame",
      group,
      icon: ChevronRight,
      keys: ["Shift+End"],
      perform: () => extendSelection(studio, last() - store.frame.peek()),
    },
    {
      id: "span.all",
      name: "Select all frames",
      group,
      icon: BoxSelect,
      keys: ["Ctrl+A"],
      perform: () => {
        store.selection.value = [0, last()];
      },
    },
    {
      id: "span.absent",
      name: "Mark the object absent in the span, or take that back",
      group,
      icon: EyeOff,
      keys: ["U"],
      enabled: () => store.canDraw.value && (store.forAll.value || store.selected.value > 0),
      perform: () => {
        const span = spanInUse(studio);
        const object = store.forAll.peek() ? null : store.selected.peek();
        markAbsent(studio, object, span, !isAbsent(studio, object, span));
      },
    },
    ...verdicts(studio),
    ...marks(studio),
    {
      id: "span.none",
      name: "Clear the selection",
      group,
      icon: X,
      keys: ["Escape"],
      enabled: () => store.selection.value !== null,
      perform: () => {
        store.selection.value = null;
      },
    },
  ];
}

/** Accepting and rejecting the selected object by itself. */
function verdicts(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const chosen = () => store.canDraw.value && store.looking.value === null && store.selected.value > 0;
  const span = () => spanInUse(studio);
  return [
    {
      id: "object.accept",
      name: "Accept or release the object alone, in the frame or the selected span",
      group: "Objects",
      icon: BadgeCheck,
      keys: ["Shift+L"],
      enabled: chosen,
      pressed: () => isObjectAccepted(studio, store.selected.value, span()),
      perform: () => {
        const number = store.selected.peek();
        acceptObject(studio, number, span(), !isObjectAccepted(studio, number, span()));
      },
    },
    {
      id: "object.reject",
      name: "Reject the object in the frame or the selected span: say in a pin what is wrong",
      group: "Objects",
      icon: Flag,
      keys: ["Shift+B"],
      enabled: chosen,
      perform: () => rejectObject(studio, store.selected.peek(), span()),
    },
  ];
}

/** The in and the out point of the next round. */
function marks(studio: Studio): CommandSpec[] {
  const { scope } = studio.store;
  const marked = () => scope.value.first !== null || scope.value.last !== null;
  return [
    {
      id: "scope.in",
      name: "In point: rounds change no frame before this one",
      group: "Rounds",
      icon: ArrowLeftToLine,
      keys: ["I"],
      perform: () => mark(studio, "first"),
    },
    {
      id: "scope.out",
      name: "Out point: rounds change no frame after this one",
      group: "Rounds",
      icon: ArrowRightToLine,
      keys: ["O"],
      perform: () => mark(studio, "last"),
    },
    {
      id: "scope.clear",
      name: "Clear the in and the out point",
      group: "Rounds",
      icon: X,
      keys: ["Shift+I"],
      enabled: marked,
      perform: () => setScope(studio, { first: null, last: null }),
    },
  ];
}
