/** The thumbnail of a video. Moving the mouse over it shows other frames. */
import { useState } from "preact/hooks";
import { urlOf } from "../api/http";
import css from "./Thumbnail.module.css";

/** The number of frames that stand for the whole video. The browser caches each. */
const STOPS = 12;

/** Returns the frame for a position (0..1) on the thumbnail. */
export function frameAt(position: number, frames: number): number {
  const stop = Math.min(STOPS - 1, Math.max(0, Math.floor(position * STOPS)));
  return Math.round((stop / (STOPS - 1)) * (frames - 1));
}

export interface ThumbnailProps {
  video: number;
  frames: number;
  /** The video is higher than wide and is shown whole, not cropped. */
  upright: boolean;
  /** A picture of a frame with its masks, which is shown while the mouse is not over it; null if there are no masks. */
  cover?: string | null;
}

export function Thumbnail({ video, frames, upright, cover = null }: ThumbnailProps) {
  const [frame, setFrame] = useState<number | null>(null);
  const [missing, setMissing] = useState(false);
  const [lost, setLost] = useState<string | null>(null); // a cover that could not be loaded
  const leaf = (event: PointerEvent) => {
    if (event.pointerType !== "mouse") return;
    const box = (event.currentTarget as Element).getBoundingClientRect();
    setFrame(frameAt((event.clientX - box.left) / box.width, frames));
  };
  return (
    <div class={css.thumbnail} onPointerMove={leaf} onPointerLeave={() => setFrame(null)}>
      {missing ? (
        <span>No picture</span>
      ) : (
        <img
          src={
            frame === null && cover !== null && cover !== lost
              ? cover
              : urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: video, frame: frame ?? 0 })
          }
          alt=""
          loading="lazy"
          decoding="async"
          class={upright ? css.upright : undefined}
          draggable={false}
          onError={() =>
            frame === null && cover !== null && cover !== lost ? setLost(cover) : setMissing(true)
          }
        />
      )}
      {frame !== null && frames > 1 && (
        <i style={{ width: `${(frame / (frames - 1)) * 100}%` }} aria-hidden="true" />
      )}
    </div>
  );
}
