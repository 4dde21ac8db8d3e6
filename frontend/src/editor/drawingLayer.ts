/**
 * The topmost canvas: the scribbles of the frame in view, the stroke that is being drawn, and the ring under the
 * pointer.
 */
import { effect } from "@preact/signals";
import { polygonHere } from "../actions/polygon";
import { drawMagnifier } from "../canvas/magnifier";
import { drawPolygon } from "../canvas/polygon";
import { type DrawnScribble, drawScribble } from "../canvas/scribbles";
import type { CanvasPoint } from "../canvas/view";
import type { Point, RoundScribble, ScribbleKind } from "../protocol";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";
import type { PointerState } from "../tools/pointerState";
import { toolInUse } from "../tools/tools";
import { contoursInView, drawContours } from "./contourLines";
import { partOf } from "./olderRounds";
import type { Picture, PictureCanvases } from "./pictureLayers";

// The colour of an object that was just created and is not in the store yet.
const NEW_COLOR = "#ff5a5f";

/** What a person drew: a scribble, a click or a box. */
interface Mark {
  path: readonly Point[];
  kind: ScribbleKind;
  positive: boolean;
}

/** Keeps `canvas` up to date. Returns a function that stops it. */
export function showInteraction(
  studio: Studio,
  pointer: PointerState,
  picture: Picture,
  canvases: PictureCanvases & { top: HTMLCanvasElement },
): () => void {
  const canvas = canvases.top;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no 2D canvas");
  let request = 0;
  const end = effect(() => {
    const scribbles = scribblesInView(studio, pointer);
    const { stage, store } = studio;
    const [view, frame, size] = [stage.view.value, stage.frameSize, stage.stageSize];
    const settings = store.view.value;
    const hover = pointer.hover.value;
    const tool = toolInUse(studio);
    const ring = hover && tool.ring && !pointer.live.value;
    const ringWidth = tool.ring === "brush" ? settings.paintSize * view.scale : settings.brush;
    const pen = pointer.pen.value;
    const ringColor = colorOf(studio, store.selected.value);
    const polygon = polygonHere(store);
    const contours = contoursInView(studio, picture.onScreen.value);
    cancelAnimationFrame(request);
    request = requestAnimationFrame(() => {
      fitToScreen(canvas, size.width, size.height);
      const ratio = canvas.width / Math.max(1, size.width);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, size.width, size.height);
      drawContours(context, contours, view);
      for (const scribble of scribbles) drawScribble(context, scribble, view, frame, settings.brush);
      if (polygon) drawPolygon(context, polygon, view, hover, ringColor);
      if (ring) drawRing(context, hover, ringWidth, ringColor, tool.ring === "brush" ? view.stretch : 1);
      if (pen) drawCross(context, pen, ringColor);
      if (hover && settings.magnifier)
        drawMagnifier(context, canvases, settings.mode === "mask", hover, view, size);
    });
  });
  return () => {
    cancelAnimationFrame(request);
    end();
  };
}

/** Gives the canvas one pixel for each pixel of the screen. */
function fitToScreen(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}

function scribblesInView(studio: Studio, pointer: PointerState): DrawnScribble[] {
  const { store } = studio;
  const frame = store.frame.value;
  const you = store.you.value?.id;
  const drawn: DrawnScribble[] = [];
  const add = (scribble: Mark, object: number, kind: DrawnScribble["kind"], author?: string): void => {
    drawn.push({
      path: scribble.path,
      color: colorOf(studio, object),
      background: object === 0,
      kind,
      ...(scribble.kind !== "scribble" && { prompt: { kind: scribble.kind, positive: scribble.positive } }),
      ...(author !== undefined && { author }),
    });
  };
  if (store.view.value.showUsed)
    for (const scribble of usedOn(store, frame)) add(scribble, scribble.object_id, "used");
  for (const scribble of store.scribbles.value) {
    if (scribble.frame !== frame) continue;
    const theirs = scribble.author.id !== you;
    const kind = theirs ? "theirs" : scribble.key === pointer.marked.value ? "marked" : "waiting";
    add(scribble, scribble.object, kind, theirs ? scribble.author.name : undefined);
  }
  const live = pointer.live.value;
  if (live) add({ path: live.path, kind: "scribble", positive: true }, live.object, "waiting");
  const box = pointer.box.value;
  if (box) add({ path: box, kind: "box", positive: true }, store.selected.value, "waiting");
  return drawn;
}

/** Returns the scribbles of a frame that the rounds of the shown line used. */
export function usedOn(store: Store, frame: number): RoundScribble[] {
  const { ids, older } = store.line.value;
  const loaded = older && store.olderScribbles.value.get(partOf(older, frame));
  const newer = loaded ? ids.filter((id) => id > (older?.round ?? 0)) : ids;
  const used = newer.flatMap((id) => store.rounds.value.get(id)?.scribbles ?? []);
  return [...used.filter((scribble) => scribble.frame === frame), ...(loaded ?? [])];
}

function colorOf({ store }: Studio, number: number): string {
  if (number === 0) return "#e6e9ee";
  return store.alive.value.find((object) => object.number === number)?.color ?? NEW_COLOR;
}

/** `stretch`: a brush is round in pixels of the frame, and these are not square in every video. */
function drawRing(
  context: CanvasRenderingContext2D,
  at: CanvasPoint,
  width: number,
  color: string,
  stretch = 1,
): void {
  const radius = Math.max(3, width / 2 + 1);
  for (const [line, style] of [
    [3, "#000000a0"],
    [1.5, color],
  ] as const) {
    context.lineWidth = line;
    context.strokeStyle = style;
    context.beginPath();
    context.ellipse(at.x, at.y, radius * stretch, radius, 0, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** Draws the pen that the arrow keys move, with an outline so that it is visible on every frame. */
function drawCross(context: CanvasRenderingContext2D, at: CanvasPoint, color: string): void {
  for (const [line, style] of [
    [4, "#000000c0"],
    [2, color],
  ] as const) {
    context.lineWidth = line;
    context.strokeStyle = style;
    context.beginPath();
    for (const [x, y] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(at.x + 5 * x, at.y + 5 * y);
      context.lineTo(at.x + 16 * x, at.y + 16 * y);
    }
    context.stroke();
  }
}
