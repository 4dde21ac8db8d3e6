/** A button that opens a menu. Arrow keys, Home, End and first letters move the focus; Escape closes the menu. */
import type { LucideIcon } from "lucide-preact";
import { Check } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Kbd } from "./Kbd";
import css from "./Menu.module.css";

export interface MenuItem {
  name: string;
  testid: string;
  perform?: () => void;
  /** If given instead of `perform`, the item is a link. */
  href?: string;
  icon?: LucideIcon;
  hotkey?: string;
  /** The tooltip. */
  title?: string;
  /** A second line, in a fainter colour. */
  note?: string;
  /** A few words about the state of the item, opposite its name. */
  tag?: string;
  /** If given, the item is one of several choices, and this says whether it is the chosen one. */
  checked?: boolean;
  disabled?: boolean;
  tone?: "plain" | "bad";
}

/** An item, a line between items, or a heading above the items that follow. */
export type MenuEntry = MenuItem | "line" | { heading: string };

export interface MenuProps {
  /** What a screen reader says of the button, and its tooltip. */
  label: string;
  testid: string;
  /** What the button shows. */
  children: ComponentChildren;
  items: MenuEntry[];
  /** A line of text above the items. */
  heading?: ComponentChildren;
  /** The CSS class of the button, which has no style of its own. */
  class?: string;
  align?: "start" | "end";
  disabled?: boolean;
}

const MARGIN = 8;

/** Places the menu below its button, or above if there is more space, inside the window. A longer menu scrolls. */
function place(list: HTMLElement, button: HTMLElement, align: "start" | "end"): void {
  const at = button.getBoundingClientRect();
  list.style.maxHeight = `${Math.max(at.top, innerHeight - at.bottom) - 4 - MARGIN}px`;
  const { offsetWidth: width, offsetHeight: height } = list;
  const left = align === "end" ? at.right - width : at.left;
  const below = at.bottom + 4;
  const fits = below + height <= innerHeight - MARGIN || at.top < innerHeight - at.bottom;
  list.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
  list.style.top = `${Math.max(MARGIN, fits ? below : at.top - height - 4)}px`;
}

export function Menu(props: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  const close = (focus: boolean) => {
    setOpen(false);
    if (focus) button.current?.focus();
  };

  useLayoutEffect(() => {
    if (!open || !list.current || !button.current) return;
    place(list.current, button.current, props.align ?? "start");
    const first = list.current.querySelector<HTMLElement>(
      '[aria-checked="true"], [role^="menuitem"]:not(:disabled)',
    );
    first?.focus();
  }, [open]);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!list.current?.contains(target) && !button.current?.contains(target)) setOpen(false);
    };
    const moved = () => setOpen(false);
    document.addEventListener("pointerdown", outside, true);
    addEventListener("resize", moved);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      removeEventListener("resize", moved);
    };
  }, [open]);

  return (
    <>
      <button
        ref={button}
        type="button"
        class={`${css.button} ${props.class ?? ""}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={props.label}
        title={props.label}
        data-testid={props.testid}
        disabled={props.disabled}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {props.children}
      </button>
      {open && (
        <div
          ref={list}
          id={id}
          role="menu"
          tabIndex={-1}
          aria-label={props.label}
          class={css.list}
          onKeyDown={(event) => onListKey(event, close)}
        >
          {props.heading && <div class={css.heading}>{props.heading}</div>}
          {props.items.map((item, index) =>
            item === "line" ? (
              <hr key={index} class={css.line} />
            ) : "heading" in item ? (
              <div key={item.heading} class={css.section} role="presentation">
                {item.heading}
              </div>
            ) : (
              <Item key={item.testid} item={item} close={close} />
            ),
          )}
        </div>
      )}
    </>
  );
}

function onListKey(event: KeyboardEvent, close: (focus: boolean) => void): void {
  event.stopPropagation(); // keys for the menu must not reach the commands of the page
  const list = event.currentTarget as HTMLElement;
  const items = [...list.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const to = (index: number) => items[(index + items.length) % items.length]?.focus();
  if (event.key === "Escape") close(true);
  else if (event.key === "Tab") close(false);
  else if (event.key === "ArrowDown") to(at + 1);
  else if (event.key === "ArrowUp") to(at < 0 ? -1 : at - 1);
  else if (event.key === "Home") to(0);
  else if (event.key === "End") to(-1);
  else if (event.key.length === 1 && event.key !== " ") {
    const letter = event.key.toLowerCase();
    const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    after.find((item) => item.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
    return;
  } else return;
  if (event.key !== "Tab") event.preventDefault();
}

function Item({ item, close }: { item: MenuItem; close: (focus: boolean) => void }) {
  const Icon = item.checked === undefined ? item.icon : item.checked ? Check : undefined;
  const inside = (
    <>
      <span class={css.icon}>{Icon && <Icon size={15} aria-hidden="true" />}</span>
      <span class={css.name}>
        {item.tag ? (
          <span class={css.titled}>
            {item.name} <i class={css.tag}>{item.tag}</i>
          </span>
        ) : (
          item.name
        )}
        {item.note && <small>{item.note}</small>}
      </span>
      {item.hotkey && <Kbd keys={item.hotkey} />}
    </>
  );
  const common = {
    class: `${css.item} ${item.tone === "bad" ? css.bad : ""}`,
    tabIndex: -1,
    "data-testid": item.testid,
    title: item.title,
  };
  if (item.href) {
    return (
      <a role="menuitem" href={item.href} {...common} onClick={() => close(false)}>
        {inside}
      </a>
    );
  }
  return (
    <button
      type="button"
      {...(item.checked === undefined
        ? { role: "menuitem" as const }
        : { role: "menuitemradio" as const, "aria-checked": item.checked })}
      disabled={item.disabled}
      {...common}
      onClick={(event) => {
        close(event.detail === 0); // After a click of the mouse, the next key is meant for the page, not for the button.
        item.perform?.();
      }}
    >
      {inside}
    </button>
  );
}
