/** A preview above the timeline of the frame under the pointer, with its mask. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStudio } from "../../studio/context";
import { MaskThumb } from "../MaskThumb";
import css from "./Preview.module.css";

export interface PreviewProps {
  frame: number;
  /** Position of the pointer, in pixels of the window. */
  x: number;
  y: number;
  note: string;
}

const WIDTH = 168;
const MARGIN = 8;

export function Preview({ frame, x, y, note }: PreviewProps) {
  const { store } = useStudio();
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

  const round = store.summaries.value[asked]?.round ?? null;
  const mask = round === null ? null : (store.masks.get(round, asked) ?? null);
  const left = Math.min(innerWidth - WIDTH - MARGIN, Math.max(MARGIN, x - WIDTH / 2));
  return (
    <div
      class={css.preview}
      style={{ left: `${left}px`, top: `${y - 10}px`, width: `${WIDTH}px` }}
      aria-hidden="true"
      data-testid="timeline-preview"
      data-frame={frame}
    >
      <MaskThumb frame={asked} mask={mask} onLoad={arrived} />
      <span>
        <b>{frame}</b>
        {note}
      </span>
    </div>
  );
}
