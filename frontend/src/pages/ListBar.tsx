/** Above the list of videos: search, order, filters, and the switch between cards and a table. */
import { LayoutGrid, Rows3, SlidersHorizontal } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { SelectField, type SelectFieldProps, TextField } from "../parts/Field";
import { IconButton } from "../parts/IconButton";
import css from "./ListBar.module.css";
import { changeList, listAddress } from "./listAddress";
import { DUES, type DueFilter, SORTS, type Sort, STATES, type StateFilter } from "./videos";

export interface ListBarProps {
  labels: readonly { id: number; name: string }[];
  people: readonly { id: number; name: string }[];
  /** What stands behind the filters: the saved views. */
  views: ComponentChildren;
  children: ComponentChildren;
}

export function ListBar({ labels, people, views, children }: ListBarProps) {
  const { wanted, sort, state, assignee, due, label, view } = listAddress();
  const person = (value: string, name: string) => ({ value, name });
  const [open, setOpen] = useState(false);
  const limits = [state !== "any", assignee, due !== "any", label].filter(Boolean).length;
  return (
    <div class={`${css.bar} ${open ? css.open : ""}`}>
      <div class={css.search}>
        <TextField
          label="Search videos"
          bare
          type="search"
          testid="videos-search"
          placeholder="Search"
          value={wanted}
          onInput={(value) => changeList({ wanted: value })}
        />
      </div>
      <button
        type="button"
        class={css.filters}
        aria-expanded={open}
        data-testid="videos-filters"
        onClick={() => setOpen(!open)}
      >
        <SlidersHorizontal size={15} aria-hidden="true" />
        Filters{limits > 0 && ` (${limits})`}
      </button>
      <Choice
        label="State"
        testid="videos-state"
        value={state}
        options={optionsOf(STATES)}
        onChange={(value) => changeList({ state: value as StateFilter })}
      />
      <Choice
        label="Assignee"
        testid="videos-assignee"
        value={assignee}
        options={[
          person("", "Any assignee"),
          person("me", "Mine"),
          person("none", "Nobody's"),
          ...people.map(({ id, name }) => person(String(id), name)),
        ]}
        onChange={(value) => changeList({ assignee: value })}
      />
      <Choice
        label="Due"
        testid="videos-due"
        value={due}
        options={Object.entries(DUES).map(([value, name]) => ({ value, name }))}
        onChange={(value) => changeList({ due: value as DueFilter })}
      />
      {labels.length > 0 && (
        <Choice
          label="Label"
          testid="videos-label"
          value={label}
          options={[person("", "Any label"), ...labels.map(({ id, name }) => person(String(id), name))]}
          onChange={(value) => changeList({ label: value })}
        />
      )}
      <Choice
        label="Order"
        testid="videos-sort"
        value={sort}
        options={optionsOf(SORTS)}
        onChange={(value) => changeList({ sort: value as Sort })}
      />
      {views}
      <div class={css.actions}>
        {children}
        <fieldset class={css.views} aria-label="Cards or table">
          <IconButton
            icon={LayoutGrid}
            label="Cards"
            size="small"
            testid="videos-cards"
            pressed={view === "cards"}
            onClick={() => changeList({ view: "cards" })}
          />
          <IconButton
            icon={Rows3}
            label="Table"
            size="small"
            testid="videos-table"
            pressed={view === "table"}
            onClick={() => changeList({ view: "table" })}
          />
        </fieldset>
      </div>
    </div>
  );
}

/** A filter, or the order of the list. Its label is only for screen readers. */
function Choice(props: SelectFieldProps) {
  return (
    <div class={css.choice}>
      <SelectField {...props} bare />
    </div>
  );
}

function optionsOf(names: Record<string, { name: string }>) {
  return Object.entries(names).map(([value, { name }]) => ({ value, name }));
}
