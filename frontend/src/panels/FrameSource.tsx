/** What the frame in view was called, or when it is shown, in the file that the video was imported from. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api/http";
import type { SourceFrames } from "../api/types";
import { useStudio } from "../studio/context";
import css from "./Dock.module.css";

const DELAY_MS = 1500; // The names are loaded when the studio has opened, so that they hold up nothing.

/** Returns the name of a frame's picture file, or else its time stamp such as 0:01.250; "" if the source has neither. */
export function sourceOf(source: SourceFrames, frame: number): string {
  const name = source.names[frame];
  if (name) return name;
  const time = source.times[frame];
  if (time === null || time === undefined) return "";
  const milliseconds = Math.round(Math.abs(time) * 1000);
  const minutes = Math.floor(milliseconds / 60000);
  const seconds = ((milliseconds % 60000) / 1000).toFixed(3).padStart(6, "0");
  return `${time < 0 ? "-" : ""}${minutes}:${seconds}`;
}

export function FrameSource() {
  const { store } = useStudio();
  const video = store.video.value?.id;
  const [loaded, setLoaded] = useState<{ video: number; source: SourceFrames } | null>(null);
  const source = loaded?.video === video ? loaded?.source : null;
  const missing = !source;
  const connection = store.connection.value;
  useEffect(() => {
    if (video === undefined || !missing) return;
    let wanted = true;
    const load = async () => {
      try {
        const source = await call("GET", "/api/videos/{video_id}/source-frames", {
          path: { video_id: video },
        });
        if (wanted) setLoaded({ video, source });
      } catch {
        // The frame's number stands there all the same. It is tried again when the connection changes.
      }
    };
    const timer = setTimeout(load, DELAY_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [video, missing, connection]);
  const text = source && sourceOf(source, store.frame.value);
  if (!text) return null;
  return (
    <span class={css.source} data-testid="hud-source" title={`In its source: ${text}`}>
      {text}
    </span>
  );
}
