/** What a round changed in the frame that was drawn on, shown beside its row while the pointer is over it. */
import { shownAspect } from "../../canvas/view";
import type { RoundInfo } from "../../protocol";
import { sourceOf } from "../../state/frameSummary";
import { lineOf } from "../../state/line";
import { useStudio } from "../../studio/context";
import { MaskThumb } from "../MaskThumb";
import css from "./ChangePreview.module.css";

const WIDTH = 220;
const NOTHING_ACCEPTED: ReadonlyMap<number, number> = new Map();

export function ChangePreview({ round, beside }: { round: RoundInfo; beside: HTMLElement }) {
  const { store } = useStudio();
  const { frame } = round;
  const now = store.masks.get(round.id, frame) ?? null;
  const line = lineOf(store.rounds.value, round.base, store.lines.value);
  const source = sourceOf(frame, store.rounds.value, line, NOTHING_ACCEPTED, store.masks);
  const before = typeof source === "number" ? store.masks.get(source, frame) : undefined;
  const video = store.video.value;
  if (!video) return null;
  const box = beside.getBoundingClientRect();
  const height = Math.min(190, WIDTH / shownAspect(video)) + 26;
  const top = Math.max(8, Math.min(box.top, innerHeight - height - 8));
  return (
    <div
      class={css.preview}
      style={{ left: `${box.left - WIDTH - 8}px`, top: `${top}px`, width: `${WIDTH}px` }}
      aria-hidden="true"
      data-testid="round-preview"
    >
      <MaskThumb frame={frame} mask={now} {...(before && { before })} />
      <span>
        {now ? (before ? "changes in" : "mask of") : "picture of"} frame {frame}
      </span>
    </div>
  );
}
