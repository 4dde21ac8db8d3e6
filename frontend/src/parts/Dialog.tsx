/** A modal dialog on the browser's own <dialog>: focus stays inside, Escape closes, the page behind is inert. */
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
  /** Buttons at the foot, the one to press last. */
  footer?: ComponentChildren;
  size?: "small" | "normal" | "wide";
}

/** Is open as long as it is rendered. */
export function Dialog({ title, onClose, testid, children, footer, size = "normal" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // Before the next event, not after the next paint: keys that are already on their way belong to the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);

  // A press that starts inside and ends on the backdrop (selecting text, say) must not close.
  const onPointerDown = (event: PointerEvent) => {
    if (event.target === element.current) onClose();
  };

  return (
    <dialog
      ref={element}
      class={`${css.dialog} ${css[size]}`}
      aria-labelledby={heading}
      data-testid={testid}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={onPointerDown}
      // Hot keys of the page below must not hear what is typed here.
      onKeyDown={(event) => event.stopPropagation()}
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
