/**
 * The list of objects: selecting, naming, colouring, hiding, locking, showing alone and deleting; and the background.
 */
import {
  ArrowLeftRight,
  ClipboardPaste,
  Copy,
  Ellipsis,
  Eye,
  EyeOff,
  Focus,
  Lock,
  LockOpen,
  Merge,
  PencilLine,
  Split,
  Trash2,
} from "lucide-preact";
import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { editMasks, fromHereOn, splitFromHere } from "../actions/edits";
import { copyMask, pasteMask } from "../actions/maskClipboard";
import { changeObject, deleteObject, toggleHidden, toggleLocked, toggleSolo } from "../actions/objects";
import { TextField } from "../parts/Field";
import { IconButton } from "../parts/IconButton";
import { Menu, type MenuEntry } from "../parts/Menu";
import type { ObjectInfo } from "../protocol";
import type { ProjectLabel } from "../state/store";
import { useStudio } from "../studio/context";
import { CommandIcon } from "./CommandButton";
import { Holder } from "./Holder";
import css from "./Objects.module.css";
import { ProjectTools } from "./ProjectTools";
import side from "./SidePanel.module.css";

export function Objects() {
  const { store } = useStudio();
  const objects = store.alive.value;
  const [search, setSearch] = useState("");
  const filters = objects.length >= FILTER_FROM;
  const shown = filters ? matching(objects, store.labels.value, search) : objects;
  return (
    <section class={`${side.section} ${side.scrolls}`} aria-label="Objects" data-testid="objects">
      <div class={side.head}>
        <h2>Objects</h2>
        <CommandIcon id="object.add" size="small" />
        <ProjectTools />
      </div>
      {filters && (
        <div class={css.filter}>
          <TextField
            label="Filter of objects"
            bare
            type="search"
            testid="objects-filter"
            placeholder={`Find one of ${objects.length}`}
            value={search}
            onInput={setSearch}
          />
        </div>
      )}
      <ul class={css.list}>
        {shown.map((object) => (
          <Fragment key={object.number}>
            <Row object={object} place={objects.indexOf(object) + 1} />
            <Holder object={object.number} />
          </Fragment>
        ))}
        {shown.length === 0 && objects.length > 0 && <li class={side.none}>No object is called so.</li>}
        <Background />
      </ul>
      {objects.length === 0 && store.canDraw.value && (
        <p class={side.none}>No object yet. Draw a scribble on one: it becomes the first.</p>
      )}
    </section>
  );
}

/** The list has a filter if it has at least this many objects. */
const FILTER_FROM = 8;

/** Returns the objects whose name, label or id contains `search`. */
export function matching(
  objects: readonly ObjectInfo[],
  labels: readonly ProjectLabel[],
  search: string,
): readonly ObjectInfo[] {
  const wanted = search.trim().toLowerCase();
  if (!wanted) return objects;
  return objects.filter(({ name, number, label }) => {
    const title = labels.find(({ id }) => id === label)?.name ?? "";
    return `${name} ${title} ${number}`.toLowerCase().includes(wanted);
  });
}

function Row({ object, place }: { object: ObjectInfo; place: number }) {
  const studio = useStudio();
  const { store } = studio;
  const [editing, setEditing] = useState(false);
  const { number, name } = object;
  const chosen = store.selected.value === number;
  const row = useRef<HTMLLIElement>(null);
  // An object that was chosen by key, or is new, may be outside of the part of a long list that is in sight.
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView?.({ block: "nearest" });
  }, [chosen]);
  const choose = () => {
    store.selected.value = number;
    if (store.tool.peek() === "erase") store.tool.value = "scribble";
  };
  return (
    <li ref={row} class={css.row} data-chosen={chosen} data-testid={`object-${number}`}>
      <Swatch object={object} />
      {editing ? (
        <NameField object={object} done={() => setEditing(false)} />
      ) : (
        <button
          type="button"
          class={css.name}
          aria-pressed={chosen}
          data-testid={`object-${number}-choose`}
          title={`${name}: draw for it${place <= 9 ? ` (${place})` : ""}. Double click to rename.`}
          {...(place <= 9 && { "aria-keyshortcuts": String(place) })}
          onClick={choose}
          onDblClick={() => store.canDraw.value && setEditing(true)}
          onKeyDown={(event) => event.key === "F2" && setEditing(store.canDraw.value)}
        >
          {name}
        </button>
      )}
      <Switches object={object} rename={() => setEditing(true)} />
    </li>
  );
}

function Switches({ object, rename }: { object: ObjectInfo; rename: () => void }) {
  const studio = useStudio();
  const { store } = studio;
  const { number, name } = object;
  const { solo, ...view } = store.view.value;
  const alone = solo === number;
  const hidden = alone ? false : solo !== null || view.hidden.includes(number);
  const { locked } = object;
  return (
    <span class={css.switches}>
      <IconButton
        icon={alone ? Focus : hidden ? EyeOff : Eye}
        label={alone ? `${name} is shown alone: show all` : hidden ? `Show ${name}` : `Hide ${name}`}
        testid={`object-${number}-hide`}
        size="small"
        pressed={hidden}
        onClick={() => (solo === null ? toggleHidden(studio, number) : toggleSolo(studio, solo))}
      />
      <IconButton
        icon={locked ? Lock : LockOpen}
        label={locked ? `Unlock ${name}` : `Lock ${name} against any change, for everybody`}
        testid={`object-${number}-lock`}
        size="small"
        pressed={locked}
        disabled={!store.canDraw.value}
        onClick={() => toggleLocked(studio, number)}
      />
      <More object={object} alone={alone} rename={rename} />
    </span>
  );
}

function More({ object, alone, rename }: { object: ObjectInfo; alone: boolean; rename: () => void }) {
  const studio = useStudio();
  const { number, name } = object;
  const draws = studio.store.canDraw.value;
  const others = studio.store.alive.value.filter((other) => other.number !== number);
  return (
    <Menu
      label={`More for ${name}`}
      testid={`object-${number}-menu`}
      class={css.more ?? ""}
      align="end"
      items={[
        {
          name: alone ? "Show all objects" : "Show alone",
          testid: `object-${number}-solo`,
          icon: Focus,
          perform: () => toggleSolo(studio, number),
        },
        {
          name: "Rename",
          testid: `object-${number}-rename`,
          icon: PencilLine,
          hotkey: "F2",
          disabled: !draws,
          perform: rename,
        },
        {
          name: "Copy its mask here",
          testid: `object-${number}-copy`,
          icon: Copy,
          perform: () => copyMask(studio, number),
        },
        {
          name: "Paste the copied mask here",
          testid: `object-${number}-paste`,
          title: "In place of what the object has in this frame; the copy may come from another video",
          icon: ClipboardPaste,
          disabled: !draws,
          perform: () => pasteMask(studio, number),
        },
        ...others.flatMap((other): MenuEntry[] => [
          {
            name: `Merge into ${other.name}`,
            testid: `object-${number}-merge-${other.number}`,
            title: "From this frame on its pixels become those of the other object",
            icon: Merge,
            disabled: !draws,
            perform: () =>
              editMasks(studio, {
                op: "merge",
                objects: [number],
                span: fromHereOn(studio),
                into: other.number,
              }),
          },
          {
            name: `Swap with ${other.name}`,
            testid: `object-${number}-swap-${other.number}`,
            title: "From this frame on the two objects change places",
            icon: ArrowLeftRight,
            disabled: !draws,
            perform: () =>
              editMasks(studio, { op: "swap", objects: [number, other.number], span: fromHereOn(studio) }),
          },
        ]),
        {
          name: "Split from this frame on",
          testid: `object-${number}-split`,
          title: "From this frame on its pixels become those of a new object",
          icon: Split,
          disabled: !draws,
          perform: () => splitFromHere(studio, object),
        },
        {
          name: "Delete",
          testid: `object-${number}-delete`,
          icon: Trash2,
          tone: "bad",
          disabled: !draws,
          perform: () => deleteObject(studio, object),
        },
      ]}
    >
      <Ellipsis size={15} aria-hidden="true" />
    </Menu>
  );
}

function Swatch({ object }: { object: ObjectInfo }) {
  const studio = useStudio();
  return (
    <input
      type="color"
      class={css.swatch}
      aria-label={`Colour of ${object.name}`}
      title={`Colour of ${object.name}`}
      data-testid={`object-${object.number}-color`}
      value={object.color}
      disabled={!studio.store.canDraw.value}
      onChange={(event) => changeObject(studio, object, { color: event.currentTarget.value.toLowerCase() })}
    />
  );
}

function NameField({ object, done }: { object: ObjectInfo; done: () => void }) {
  const studio = useStudio();
  const field = useRef<HTMLInputElement>(null);
  const left = useRef(false); // set by Escape, so that the blur that follows does not save the name
  // The field gets the focus before the next event, so that keys typed at once go into the name.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const keep = (): void => {
    if (!left.current) changeObject(studio, object, { name: field.current?.value ?? "" });
    left.current = true;
    done();
  };
  return (
    <input
      ref={field}
      class={css.field}
      aria-label={`Name of ${object.name}`}
      data-testid={`object-${object.number}-name`}
      defaultValue={object.name}
      maxLength={60}
      onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === "Escape") left.current = true;
        if (event.key === "Enter" || event.key === "Escape") keep();
      }}
    />
  );
}

function Background() {
  const { store } = useStudio();
  const chosen = store.selected.value === 0;
  return (
    <li class={css.row} data-chosen={chosen}>
      <span class={css.nothing} aria-hidden="true" />
      <button
        type="button"
        class={css.name}
        aria-pressed={chosen}
        data-testid="object-0-choose"
        title="Draw on what belongs to no object (0)"
        aria-keyshortcuts="0"
        onClick={() => {
          store.selected.value = 0;
          if (store.tool.peek() === "erase") store.tool.value = "scribble";
        }}
      >
        background
      </button>
      <span class={css.switches} />
    </li>
  );
}
