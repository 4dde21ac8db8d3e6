/** Short messages at the bottom of the page: what was done (and how to undo it), or why it was not. */
import { signal } from "@preact/signals";
import { CircleAlert, CircleCheck, Info, X } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./Button";
import { IconButton } from "./IconButton";
import css from "./Toast.module.css";

export interface ToastMessage {
  text: string;
  /** `info` is for messages about something that is neither a success nor an error. */
  tone?: "ok" | "bad" | "info";
  action?: { name: string; perform: () => void };
  /** How long the message stays, in ms. By default errors and messages with an action stay longer. */
  stay?: number;
}

interface Shown extends ToastMessage {
  id: number;
}

const ICONS = { ok: CircleCheck, bad: CircleAlert, info: Info };
const MOST = 4;
let newest = 0;
export const toasts = signal<Shown[]>([]);

/**
 * Shows a message and returns its id. A text that is already shown is not shown twice. Where only the newest message is
 * shown, it takes the place of those that only say what was done: they would come back when it goes, as if it had been
 * done just then.
 */
export function toast(message: ToastMessage): number {
  newest += 1;
  const others = toasts.value.filter(
    (shown) => shown.text !== message.text && (!docked.peek() || shown.tone === "bad" || shown.action),
  );
  toasts.value = [...others, { ...message, id: newest }].slice(-MOST);
  return newest;
}

/** Shows the message of an error. */
export function toastError(error: unknown): number {
  return toast({ text: error instanceof Error ? error.message : String(error), tone: "bad" });
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

/** Whether another part of the page shows the messages in a place of its own. */
const docked = signal(false);

/** Says that the caller shows the messages with `<ToastList docked />`. Returns a function that ends it. */
export function dockToasts(): () => void {
  docked.value = true;
  return () => {
    docked.value = false;
  };
}

/** The messages over the page; rendered once, and empty while another part of the page shows them. */
export function Toasts() {
  return docked.value ? null : <ToastList />;
}

/** A docked list shows the newest message, and how many others there are. */
export function ToastList({ docked = false }: { docked?: boolean }) {
  const all = toasts.value;
  const shown = docked ? all.slice(-1) : all;
  const hidden = all.length - shown.length;
  return (
    <section
      class={docked ? css.docked : css.toasts}
      aria-label="Messages"
      aria-live="polite"
      data-testid="toasts"
    >
      {hidden > 0 && <small class={css.more}>{hidden} more</small>}
      {shown.map((message) => (
        <Toast key={message.id} shown={message} />
      ))}
    </section>
  );
}

function Toast({ shown }: { shown: Shown }) {
  const [held, setHeld] = useState(false);
  const bad = shown.tone === "bad";
  const stay = shown.stay ?? (bad || shown.action ? 9000 : 4500);

  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismiss(shown.id), stay);
    return () => clearTimeout(timer);
  }, [held, shown.id, stay]);

  const Icon = ICONS[shown.tone ?? "ok"];
  return (
    <div
      class={`${css.toast} ${css[shown.tone ?? "ok"] ?? ""}`}
      role={bad ? "alert" : "status"}
      data-testid="toast"
      data-tone={shown.tone ?? "ok"}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusCapture={() => setHeld(true)}
      onBlurCapture={() => setHeld(false)}
    >
      <Icon size={16} aria-hidden="true" />
      <span class={css.text} title={shown.text}>
        {shown.text}
      </span>
      {shown.action && (
        <Button
          size="small"
          testid="toast-action"
          onClick={() => {
            shown.action?.perform();
            dismiss(shown.id);
          }}
        >
          {shown.action.name}
        </Button>
      )}
      <IconButton
        icon={X}
        size="small"
        label="Dismiss"
        testid="toast-dismiss"
        onClick={() => dismiss(shown.id)}
      />
    </div>
  );
}
