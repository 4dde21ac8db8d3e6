/** Small figures in the corner of the picture: frame, zoom, what is saved. */
import { useStudio } from "../studio/context";
import css from "./Floating.module.css";

export function Hud() {
  const { store, stage, frames, commands } = useStudio();
  const frame = store.frame.value;
  const fit = commands.find((command) => command.id === "view.fit");
  return (
    <div class={css.hud} data-testid="hud">
      <span data-testid="hud-frame">frame {frame}</span>
      <button
        type="button"
        data-testid="hud-zoom"
        title="Fit the picture (Ctrl+0)"
        onClick={() => fit?.perform()}
      >
        {Math.round(stage.view.value.scale * 100)} %
      </button>
      <Saved />
      {store.accepted.value.has(frame) && <span data-testid="hud-accepted">accepted</span>}
      {frames.failed.value === frame && (
        <span class={css.bad} role="alert" data-testid="hud-failed">
          this frame cannot be loaded; trying again
        </span>
      )}
    </div>
  );
}

function Saved() {
  const { store } = useStudio();
  const unsaved = store.unsaved.value.length;
  const at = store.savedAt.value;
  if (unsaved > 0)
    return (
      <span class={store.connection.value === "live" ? "" : css.warn} data-testid="hud-saved" role="status">
        {store.connection.value === "live" ? "saving" : `${unsaved} kept here until online`}
      </span>
    );
  if (!at) return null;
  return (
    <span data-testid="hud-saved" role="status">
      saved {at.toLocaleTimeString("en-GB")}
    </span>
  );
}
