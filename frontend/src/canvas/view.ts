/**
 * Converts coordinates of the frame to the canvas and back. Types keep them apart: `CanvasPoint` is in CSS pixels
 * from the corner of the stage, `FramePoint` in pixels of the video. canvas = frame * scale + offset; across, the scale is
 * also multiplied by `stretch`, because the pixels of some videos are not square.
 */
declare const onCanvas: unique symbol;
declare const onFrame: unique symbol;

interface XY {
  readonly x: number;
  readonly y: number;
}
export type CanvasPoint = XY & { readonly [onCanvas]: true };
export type FramePoint = XY & { readonly [onFrame]: true };

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface View {
  readonly scale: number; // CSS pixels per pixel of the frame, down the frame
  readonly stretch?: number; // the width of the video's pixels divided by their height; 1 if it is not given
  readonly x: number; // position of the frame's corner on the canvas
  readonly y: number;
}

export const MIN_SCALE = 0.05;
export const MAX_SCALE = 32;
const MARGIN = 20; // CSS pixels around the fitted frame
const KEEP = 60; // CSS pixels of the frame that stay visible, however far it is moved

export const canvasPoint = (x: number, y: number): CanvasPoint => ({ x, y }) as CanvasPoint;
export const framePoint = (x: number, y: number): FramePoint => ({ x, y }) as FramePoint;

/** Returns the CSS pixels per pixel of the frame across the frame. */
export function scaleAcross({ scale, stretch = 1 }: View): number {
  return scale * stretch;
}

/** Returns the width of a video divided by its height, as it is shown. */
export function shownAspect(video: Size & { readonly pixel_aspect: number }): number {
  return (video.width * video.pixel_aspect) / video.height;
}

export function toFrame(view: View, at: CanvasPoint): FramePoint {
  return framePoint((at.x - view.x) / scaleAcross(view), (at.y - view.y) / view.scale);
}

export function toCanvas(view: View, at: FramePoint): CanvasPoint {
  return canvasPoint(at.x * scaleAcross(view) + view.x, at.y * view.scale + view.y);
}

/** Returns the view that shows the whole frame, centred and as large as possible. */
export function fitView(frame: Size, stage: Size, stretch = 1): View {
  const margin = Math.min(MARGIN, stage.width / 10, stage.height / 10);
  const across = (stage.width - 2 * margin) / (frame.width * stretch);
  return centred(frame, stage, limit(Math.min(across, (stage.height - 2 * margin) / frame.height)), stretch);
}

export function centred(frame: Size, stage: Size, scale: number, stretch = 1): View {
  return {
    scale,
    stretch,
    x: (stage.width - frame.width * scale * stretch) / 2,
    y: (stage.height - frame.height * scale) / 2,
  };
}

/** Returns a zoomed view in which the point under `at` stays there. */
export function zoomAt(view: View, at: CanvasPoint, factor: number): View {
  const scale = limit(view.scale * factor);
  const by = scale / view.scale;
  return { ...view, scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

export function panBy(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** Returns a view in which enough of the frame is visible to grasp it. */
export function keepInReach(view: View, frame: Size, stage: Size): View {
  const width = frame.width * scaleAcross(view);
  const keepX = Math.min(KEEP, stage.width / 2, width);
  const keepY = Math.min(KEEP, stage.height / 2, frame.height * view.scale);
  return {
    ...view,
    x: clamp(view.x, keepX - width, stage.width - keepX),
    y: clamp(view.y, keepY - frame.height * view.scale, stage.height - keepY),
  };
}

/** Returns the view of the given scale with `centre` in the middle of the stage. */
export function viewAround(centre: FramePoint, scale: number, stage: Size, stretch = 1): View {
  const limited = limit(scale);
  return {
    scale: limited,
    stretch,
    x: stage.width / 2 - centre.x * limited * stretch,
    y: stage.height / 2 - centre.y * limited,
  };
}

/** Converts to 0..1 of the frame, as scribbles are stored. Points outside of the frame move to its edge. */
export function toUnit(at: FramePoint, frame: Size): [number, number] {
  return [clamp(at.x / frame.width, 0, 1), clamp(at.y / frame.height, 0, 1)];
}

export function fromUnit([x, y]: readonly [number, number], frame: Size): FramePoint {
  return framePoint(x * frame.width, y * frame.height);
}

function limit(scale: number): number {
  return clamp(scale, MIN_SCALE, MAX_SCALE);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
