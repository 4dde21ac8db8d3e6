/**
 * The strip below the picture: frame, zoom and whether work is saved on the left, the newest message or the next frame
 * to fix on the right. It has a fixed height, so neither the picture nor the timeline moves when a message comes.
 */
import { useEffect } from "preact/hooks";
import { dockToasts, ToastList, toasts } from "../parts/Toast";
import css from "./Dock.module.css";
import { Hint } from "./Hint";
import { Hud } from "./Hud";

export function Dock() {
  useEffect(dockToasts, []);
  return (
    <div class={css.dock} data-testid="dock">
      <Hud />
      <div class={css.messages}>
        {toasts.value.length === 0 && <Hint />}
        <ToastList docked />
      </div>
    </div>
  );
}
