/** What can be done to the selected span of frames, in place of the timeline's legend. */
import { BadgeCheck, Brackets, Copy, Eraser, Flag, Spline } from "lucide-preact";
import { editMasks, isAbsent, markAbsent } from "../actions/edits";
import { acceptObject, isObjectAccepted, rejectObject } from "../actions/objectReview";
import { scopeFromSelection } from "../actions/scope";
import { acceptedParts, acceptUsed } from "../actions/spans";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { IconButton } from "../parts/IconButton";
import type { ObjectInfo } from "../protocol";
import type { Range } from "../state/ranges";
import { keyOf } from "../studio/command";
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
      <span class={css.what} data-testid="span-frames" title={plural(last - first + 1, "frame")}>
        {first === last ? `frame ${first}` : `${first}–${last}`}
      </span>
      <Button
        size="small"
        testid="span-accept"
        hotkey={keyOf(studio.commands, "frame.accept")}
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
      <Objects span={span} enabled={draws} />
      <IconButton
        size="small"
        icon={Brackets}
        testid="span-scope"
        label="Limit the next round to these frames"
        onClick={() => scopeFromSelection(studio)}
      />
      <CommandIcon id="span.none" size="small" />
    </div>
  );
}

/** Accepting and rejecting the selected object by itself. */
function Verdict({ object, span, enabled }: { object: ObjectInfo; span: Range; enabled: boolean }) {
  const studio = useStudio();
  const accepted = isObjectAccepted(studio, object.number, span);
  return (
    <>
      <IconButton
        size="small"
        icon={BadgeCheck}
        testid="span-accept-object"
        hotkey={keyOf(studio.commands, "object.accept")}
        disabled={!enabled}
        pressed={accepted}
        label={
          accepted
            ? `Release ${object.name}: versions may change it here again`
            : `Accept ${object.name} alone: no later version changes its pixels here`
        }
        onClick={() => acceptObject(studio, object.number, span, !accepted)}
      />
      <IconButton
        size="small"
        icon={Flag}
        testid="span-reject-object"
        hotkey={keyOf(studio.commands, "object.reject")}
        disabled={!enabled}
        label={`Reject ${object.name} here: say in a pin what is wrong`}
        onClick={() => rejectObject(studio, object.number, span)}
      />
    </>
  );
}

/** What can be done to the selected object, or to all objects, in the span. */
function Objects({ span, enabled }: { span: Range; enabled: boolean }) {
  const studio = useStudio();
  const { store } = studio;
  const all = store.forAll.value;
  const object = store.alive.value.find(({ number }) => number === store.selected.value);
  const open = store.alive.value.filter(({ locked }) => !locked).map(({ number }) => number);
  const numbers = all ? open : object && !object.locked ? [object.number] : [];
  const chosen = all ? null : (numbers[0] ?? null);
  const absent = numbers.length > 0 && isAbsent(studio, chosen, span);
  const usable = enabled && numbers.length > 0;
  const source = store.frame.value;
  return (
    <>
      <select
        class={css.objects}
        aria-label="Objects that are changed"
        data-testid="span-objects"
        value={all ? "all" : "selected"}
        onChange={(event) => {
          store.forAll.value = event.currentTarget.value === "all";
        }}
      >
        <option value="selected">{object?.name ?? "selected object"}</option>
        <option value="all">all objects</option>
      </select>
      {!all && object && <Verdict object={object} span={span} enabled={enabled} />}
      <Button
        size="small"
        testid="span-absent"
        hotkey={keyOf(studio.commands, "span.absent")}
        disabled={!usable}
        title="Not in the picture there: engines and exports leave it out"
        onClick={() => markAbsent(studio, chosen, span, !absent)}
      >
        {absent ? "Not absent" : "Absent"}
      </Button>
      <IconButton
        size="small"
        icon={Eraser}
        testid="span-clear"
        disabled={!usable}
        label="Clear the masks in these frames"
        onClick={() => editMasks(studio, { op: "clear", objects: numbers, span })}
      />
      <IconButton
        size="small"
        icon={Copy}
        testid="span-copy"
        disabled={!usable}
        label={`Copies the mask of frame ${source} to all of these frames`}
        onClick={() => editMasks(studio, { op: "copy", objects: numbers, span, source })}
      />
      <IconButton
        size="small"
        icon={Spline}
        testid="span-interpolate"
        disabled={!usable || span[1] - span[0] < 2}
        label="Interpolate: between the masks of the first and the last of these frames the shape changes evenly"
        onClick={() => editMasks(studio, { op: "interpolate", objects: numbers, span })}
      />
    </>
  );
}
