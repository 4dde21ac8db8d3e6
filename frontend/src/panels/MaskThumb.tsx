/** A small picture of a frame with its mask, or with what a round changed in it. */
import { useEffect, useRef } from "preact/hooks";
import { urlOf } from "../api/http";
import { colorsOf, colorsOfChanges } from "../canvas/paint";
import { changeTables, colorTable } from "../canvas/table";
import { shownAspect } from "../canvas/view";
import type { PackedMask } from "../masks/decode";
import { sampleLabels } from "../masks/sample";
import { useStudio } from "../studio/context";
import css from "./MaskThumb.module.css";

const CELLS = 336; // pixels across the mask of a thumbnail: one per pixel of a sharp screen

export interface MaskThumbProps {
  frame: number;
  /** The mask to show, null if there is none or it is not loaded. */
  mask: PackedMask | null;
  /** If given, the differences from this mask are shown; null stands for an empty mask. */
  before?: PackedMask | null;
  /** Called when the picture of the frame has arrived or failed. */
  onLoad?: () => void;
}

export function MaskThumb({ frame, mask, before, onLoad }: MaskThumbProps) {
  const { store } = useStudio();
  const canvas = useRef<HTMLCanvasElement>(null);
  const video = store.video.value;
  const objects = store.objects.value;
  const view = store.view.value;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !video) return;
    const scale = Math.min(1, CELLS / video.width);
    const [width, height] = [video.width, video.height].map((side) => Math.max(1, Math.round(side * scale)));
    if (!width || !height) return;
    context.canvas.width = width;
    context.canvas.height = height;
    if (!mask) return;
    const now = sampleLabels(store.masks.decode(mask), width, height);
    const then = before ? sampleLabels(store.masks.decode(before), width, height) : null;
    const pixels = then
      ? colorsOfChanges(now, then, width, changeTables(objects, view))
      : colorsOf(now, colorTable(objects, { ...view, mode: "overlay", opacity: 60, contour: 0 }, 1));
    context.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  }, [video, objects, view, mask, before]);

  if (!video) return null;
  const src = urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: video.id, frame });
  return (
    <div class={css.thumb} style={{ aspectRatio: `${shownAspect(video)}` }}>
      <img src={src} alt="" onLoad={onLoad} onError={onLoad} />
      <canvas ref={canvas} />
    </div>
  );
}
