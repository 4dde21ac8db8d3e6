/** The panel of the selected object: its label, how sure the engine is of it here, where it is, and its place. */
import { ArrowDown, ArrowUp } from "lucide-preact";
import { LABEL_FIELD } from "../actions/objectCommands";
import { changeObject, moveObject } from "../actions/objects";
import { seek } from "../actions/playback";
import { workTime } from "../format";
import { IconButton } from "../parts/IconButton";
import type { ObjectInfo } from "../protocol";
import { rejectedIn } from "../state/acceptedObjects";
import { lostRanges } from "../state/lost";
import { covers, type Range } from "../state/ranges";
import { useStudio } from "../studio/context";
import css from "./SelectedObject.module.css";
import side from "./SidePanel.module.css";

export function SelectedObject() {
  const studio = useStudio();
  const { store } = studio;
  const object = store.alive.value.find(({ number }) => number === store.selected.value);
  if (!object) return null;
  const place = store.alive.value.indexOf(object);
  const draws = store.canDraw.value;
  const seconds = store.seconds.value.get(object.number) ?? 0;
  return (
    <section
      class={side.section}
      aria-label={`Selected object: ${object.name}`}
      data-testid="selected-object"
    >
      <div class={side.head}>
        <h2 class={css.title}>
          <i style={{ background: object.color }} /> {object.name}
        </h2>
        <IconButton
          icon={ArrowUp}
          size="small"
          label={`Move ${object.name} up`}
          testid="object-up"
          disabled={!draws || place === 0}
          onClick={() => moveObject(studio, object, -1)}
        />
        <IconButton
          icon={ArrowDown}
          size="small"
          label={`Move ${object.name} down`}
          testid="object-down"
          disabled={!draws || place === store.alive.value.length - 1}
          onClick={() => moveObject(studio, object, 1)}
        />
      </div>
      <Label object={object} />
      <dl class={css.facts}>
        <div>
          <dt>Frame {store.frame.value}</dt>
          <dd data-testid="object-here">{stateHere(object, useHere(object))}</dd>
        </div>
        <Spans object={object} />
        {seconds > 0 && (
          <div>
            <dt>Work</dt>
            <dd>{workTime(seconds)}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Label({ object }: { object: ObjectInfo }) {
  const studio = useStudio();
  const labels = studio.store.labels.value;
  if (labels.length === 0) return null;
  return (
    <label class={css.label}>
      Label
      <select
        id={LABEL_FIELD}
        data-testid="object-label"
        aria-keyshortcuts=","
        disabled={!studio.store.canDraw.value}
        value={object.label ?? ""}
        onChange={(event) => {
          const { value } = event.currentTarget;
          changeObject(studio, object, { label: value === "" ? null : Number(value) });
        }}
      >
        <option value="">none</option>
        {labels.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Here {
  loaded: boolean;
  present: boolean;
  /** 0..1, null if the engine gave none. */
  confidence: number | null;
  accepted: boolean;
  rejected: boolean;
  absent: boolean;
  lost: boolean;
}

/** What is known of an object in the frame in view. */
function useHere({ number }: ObjectInfo): Here {
  const { store } = useStudio();
  const frame = store.frame.value;
  const summary = store.summaries.value[frame];
  const round = summary?.round ?? null;
  const mask = round === null ? undefined : store.masks.get(round, frame);
  const sure = mask?.confidence[number - 1];
  const absent = store.absent.value.get(number) ?? [];
  return {
    loaded: summary?.loaded ?? false,
    present: summary?.ids.includes(number) ?? false,
    confidence: sure === undefined ? null : sure / 255,
    accepted: store.accepted.value.has(frame) || covers(store.acceptedObjects.value.get(number) ?? [], frame),
    rejected: covers(rejectedIn(store.pins.value, number), frame),
    absent: covers(absent, frame),
    lost: covers(lostRanges(store.summaries.value, number, store.decided.value.get(number) ?? []), frame),
  };
}

export function stateHere({ locked }: Pick<ObjectInfo, "locked">, here: Here): string {
  const words: string[] = [];
  if (here.absent) words.push("absent");
  else if (here.lost) words.push("lost");
  else if (!here.loaded) words.push("no mask");
  else if (!here.present) words.push("not in the mask");
  else if (here.confidence !== null) words.push(`${Math.round(here.confidence * 100)} % sure`);
  if (here.accepted) words.push("accepted");
  if (here.rejected) words.push("rejected");
  if (locked) words.push("locked");
  return words.join(", ") || "has a mask";
}

const MOST_SPANS = 4;

/** Where the object is lost or absent, as buttons that go there. */
function Spans({ object }: { object: ObjectInfo }) {
  const studio = useStudio();
  const { store } = studio;
  const absent = store.absent.value.get(object.number) ?? [];
  const decided = store.decided.value.get(object.number) ?? [];
  const lost = lostRanges(store.summaries.value, object.number, decided);
  const row = (name: string, ranges: readonly Range[]) =>
    ranges.length > 0 && (
      <div>
        <dt>{name}</dt>
        <dd class={css.spans}>
          {ranges.slice(0, MOST_SPANS).map(([first, last]) => (
            <button
              key={first}
              type="button"
              data-testid={`object-span-${first}`}
              title={`Select frames ${first} to ${last}`}
              onClick={() => {
                seek(studio, first);
                store.selection.value = [first, last];
              }}
            >
              {first === last ? first : `${first}–${last}`}
            </button>
          ))}
          {ranges.length > MOST_SPANS && <span>+{ranges.length - MOST_SPANS}</span>}
        </dd>
      </div>
    );
  return (
    <>
      {row("Lost", lost)}
      {row("Absent", absent)}
      {row("Accepted", store.acceptedObjects.value.get(object.number) ?? [])}
      {row("Rejected", rejectedIn(store.pins.value, object.number))}
    </>
  );
}
