/** A row of small pictures of the video, one every few frames, each at the place of its frame. */
import { urlOf } from "../../api/http";
import css from "./Filmstrip.module.css";
import { frameAt, type Scale } from "./scale";

export interface FilmstripProps {
  video: number;
  /** Width divided by height of the video. */
  aspect: number;
  scale: Scale;
  top: number;
  height: number;
}

/**
 * Returns the frames of the strip's pictures with their left edges. Frames are rounded to a coarse grid, so that
 * zooming does not load new pictures at each step.
 */
export function picturesOf(scale: Scale, width: number): { x: number; frame: number }[] {
  const count = Math.max(1, Math.ceil(scale.width / width));
  const step = Math.max(1, 2 ** Math.floor(Math.log2(scale.count / count)));
  return Array.from({ length: count }, (_, index) => {
    const x = index * width;
    const frame = frameAt(scale, x + width / 2);
    return { x, frame: Math.min(scale.total - 1, Math.round(frame / step) * step) };
  });
}

export function Filmstrip({ video, aspect, scale, top, height }: FilmstripProps) {
  const width = Math.max(12, height * aspect);
  return (
    <div class={css.strip} style={{ top: `${top}px`, height: `${height}px` }} aria-hidden="true">
      {picturesOf(scale, width).map(({ x, frame }, index) => (
        <img
          key={index}
          src={urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: video, frame })}
          alt=""
          loading="lazy"
          fetchpriority="low"
          decoding="async"
          draggable={false}
          style={{ left: `${x}px`, width: `${width}px` }}
        />
      ))}
    </div>
  );
}
