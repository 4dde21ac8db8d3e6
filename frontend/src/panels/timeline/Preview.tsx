/** A preview above the timeline of the frame under the pointer. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { urlOf } from "../../api/http";
import css from "./Preview.module.css";

export interface PreviewProps {
  video: number;
  frame: number;
  /** Width divided by height of the video. */
  aspect: number;
  /** Position of the pointer, in pixels of the window. */
  x: number;
  y: number;
  note: string;
}

const WIDTH = 168;
const MARGIN = 8;

export function Preview({ video, frame, aspect, x, y, note }: PreviewProps) {
  // One image is loaded at a time. When it has arrived, the newest wanted frame is loaded.
  const [asked, setAsked] = useState(frame);
  const loading = useRef(true);
  useLayoutEffect(() => {
    if (loading.current || frame === asked) return;
    loading.current = true;
    setAsked(frame);
  }, [frame, asked]);
  const arrived = () => {
    loading.current = false;
    if (frame !== asked) {
      loading.current = true;
      setAsked(frame);
    }
  };

  const left = Math.min(innerWidth - WIDTH - MARGIN, Math.max(MARGIN, x - WIDTH / 2));
  return (
    <div
      class={css.preview}
      style={{ left: `${left}px`, top: `${y - 10}px`, width: `${WIDTH}px` }}
      aria-hidden="true"
      data-testid="timeline-preview"
      data-frame={frame}
    >
      <div class={css.picture} style={{ aspectRatio: String(aspect) }}>
        <img
          src={urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: video, frame: asked })}
          alt=""
          onLoad={arrived}
          onError={arrived}
        />
      </div>
      <span>
        <b>{frame}</b>
        {note}
      </span>
    </div>
  );
}
