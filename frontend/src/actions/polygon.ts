/** Taking, changing and discarding the polygon that is being drawn. */
import { Check, Trash2, Undo2 } from "lucide-preact";
import { applyBitmap, bitmapOf } from "../masks/compose";
import { crossesItself, fillPolygon } from "../masks/polygon";
import { toast } from "../parts/Toast";
import type { Polygon } from "../state/polygon";
import type { Store } from "../state/store";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { objectToDraw } from "./objects";
import { paint, protectionIn, shownAt } from "./painting";

/**
 * Returns the polygon if it belongs to the frame in view and the selected object.
 * An effect that calls it runs again on a change.
 */
export function polygonHere({ polygon, frame, selected }: Store): Polygon | null {
  const drawn = polygon.value;
  return drawn && drawn.frame === frame.value && drawn.object === selected.value ? drawn : null;
}

export function discardPolygon(store: Store): void {
  store.polygon.value = null;
}

/** Adds the inside of the polygon to its object, or takes it away. The polygon is kept if that is not possible. */
export function takePolygon(studio: Studio): void {
  const { store } = studio;
  const drawn = polygonHere(store);
  const video = store.video.peek();
  if (!drawn || !video) return;
  if (drawn.corners.length < 3) {
    toast({ text: "A polygon has at least three corners.", tone: "info" });
    return;
  }
  const shown = shownAt(studio, drawn.frame);
  if (!shown) {
    toast({ text: "The mask of this frame is still loading. Take the polygon in a moment.", tone: "info" });
    return;
  }
  if (crossesItself(drawn.corners))
    toast({ text: "The polygon crosses itself: parts that it goes around twice are left out." });
  discardPolygon(store);
  const object = objectToDraw(studio, drawn.object);
  const labels = shown.labels.slice();
  const pixels = bitmapOf(labels, video.width, video.height, object);
  fillPolygon(pixels, drawn.corners, drawn.adds ? 1 : 0);
  applyBitmap(labels, object, pixels.bits, store.view.peek().paintOver, protectionIn(store, drawn.frame));
  paint(studio, drawn.frame, object, bitmapOf(labels, video.width, video.height, object), "polygon", shown);
}

function removeCorner(store: Store): void {
  const drawn = store.polygon.peek();
  if (!drawn) return;
  if (drawn.closed) store.polygon.value = { ...drawn, closed: false };
  else if (drawn.corners.length > 1) store.polygon.value = { ...drawn, corners: drawn.corners.slice(0, -1) };
  else discardPolygon(store);
}

export function polygonCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const enabled = () => polygonHere(store) !== null;
  const group = "Drawing";
  return [
    {
      id: "polygon.take",
      name: "Take the polygon",
      group,
      icon: Check,
      keys: ["Enter"],
      enabled,
      perform: () => takePolygon(studio),
    },
    {
      id: "polygon.back",
      name: "Remove the polygon's last corner",
      group,
      icon: Undo2,
      keys: ["Backspace"],
      enabled,
      perform: () => removeCorner(store),
    },
    {
      id: "polygon.discard",
      name: "Discard the polygon",
      group,
      icon: Trash2,
      keys: ["Escape"],
      enabled,
      perform: () => discardPolygon(store),
    },
  ];
}
