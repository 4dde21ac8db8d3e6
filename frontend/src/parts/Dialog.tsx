/**
 * A modal dialog, made with the browser's <dialog>: the focus stays inside, Escape closes, the page behind is inert.
 */
import { X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import css from "./Dialog.module.css";
import { IconButton } from "./IconButton";

export interface DialogProps {
  title: string;
  onClose: () => void;
  testid: string;
  children: ComponentChildren;
  /** The buttons at the bottom; the main one is last. */
  footer?: ComponentChildren;
  size?: "small" | "normal" | "wide";
  /** Only the buttons close it, because it shows something that is not shown again. Escape and the backdrop do not. */
  kept?: boolean;
}

/** The dialog is open while it is rendered. */
export function Dialog({
  title,
  onClose,
  testid,
  children,
  footer,
  size = "normal",
  kept = false,
}: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // A layout effect runs before the next event, so that keys which are pressed at once go to the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);

  // A drag from the inside to the backdrop, to select text for example, must not close the dialog.
  const onPointerDown = (event: PointerEvent) => {
    if (event.target === element.current && !kept) onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation(); // Keys that are pressed in the dialog must not reach the commands of the page.
    // Some browsers close a dialog at the second Escape, whatever the handler of `cancel` says.
    if (kept && event.key === "Escape") event.preventDefault();
  };

  return (
    <dialog
      ref={element}
      class={`${css.dialog} ${css[size]}`}
      aria-labelledby={heading}
      data-testid={testid}
      onCancel={(event) => {
        event.preventDefault();
        if (!kept) onClose();
      }}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    >
      <div class={css.frame}>
        <header class={css.header}>
          <h2 id={heading}>{title}</h2>
          <IconButton icon={X} label="Close" size="small" testid={`${testid}-close`} onClick={onClose} />
        </header>
        <div class={css.body}>{children}</div>
        {footer && <footer class={css.footer}>{footer}</footer>}
      </div>
    </dialog>
  );
}
