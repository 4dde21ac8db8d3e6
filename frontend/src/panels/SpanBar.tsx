/** What can be done to the selected span of frames, in place of the timeline's legend. */
import { acceptedParts, acceptUsed } from "../actions/spans";
import { plural } from "../format";
import { Button } from "../parts/Button";
import type { Range } from "../state/lost";
import { useStudio } from "../studio/context";
import { CommandIcon } from "./CommandButton";
import css from "./SpanBar.module.css";

export function SpanBar({ span }: { span: Range }) {
  const studio = useStudio();
  const { store } = studio;
  const [first, last] = span;
  const { yes, no } = acceptedParts(studio, span);
  const draws = store.canDraw.value && store.looking.value === null;
  return (
    <div class={css.bar} role="toolbar" aria-label="Selected frames" data-testid="span-bar">
      <span class={css.what} data-testid="span-frames">
        {first === last ? `frame ${first}` : `${first}–${last} · ${plural(last - first + 1, "frame")}`}
      </span>
      <Button
        size="small"
        testid="span-accept"
        hotkey="A"
        disabled={!draws || no.length === 0}
        title="No later round changes the masks of these frames"
        onClick={() => acceptUsed(studio, true)}
      >
        Accept
      </Button>
      <Button
        size="small"
        testid="span-release"
        disabled={!draws || yes.length === 0}
        title="Rounds may change the masks of these frames again"
        onClick={() => acceptUsed(studio, false)}
      >
        Release
      </Button>
      <CommandIcon id="span.none" size="small" />
    </div>
  );
}
