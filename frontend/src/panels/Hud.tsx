/** The left part of the dock: frame with its name in the source, zoom, whether work is saved, whether the frame is accepted. */

import { Menu, type MenuItem } from "../parts/Menu";
import { type Command, commandOf } from "../studio/command";
import { useStudio } from "../studio/context";
import { testidOf } from "./CommandButton";
import css from "./Dock.module.css";
import { FrameSource } from "./FrameSource";

export function Hud() {
  const { store, frames } = useStudio();
  const frame = store.frame.value;
  return (
    <div class={css.hud} data-testid="hud">
      <span data-testid="hud-frame">frame {frame}</span>
      <FrameSource />
      <Zoom />
      <Saved />
      <Accept />
      {frames.failed.value === frame && (
        <span class={css.bad} role="alert" data-testid="hud-failed">
          this frame cannot be loaded; trying again
        </span>
      )}
    </div>
  );
}

const ZOOMS = ["view.fit", "view.100", "view.in", "view.out"];

function itemOf({ id, name, keys, icon, perform }: Command): MenuItem {
  const item: MenuItem = { name, testid: testidOf(id), icon, perform };
  return keys[0] === undefined ? item : { ...item, hotkey: keys[0] };
}

function Zoom() {
  const { stage, commands } = useStudio();
  return (
    <Menu
      label="Zoom"
      testid="hud-zoom"
      class={css.figure ?? ""}
      items={ZOOMS.map((id) => itemOf(commandOf(commands, id)))}
    >
      {Math.round(stage.view.value.scale * 100)} %
    </Menu>
  );
}

function Saved() {
  const { store, outbox } = useStudio();
  const paintings = store.paintings.value.filter(({ round }) => round === null);
  const unsaved = store.unsaved.value.length + paintings.length;
  const at = store.savedAt.value;
  const connected = store.connection.value === "live";
  const live = connected && !outbox.retrying.value;
  if (unsaved > 0)
    return (
      <span class={live ? "" : css.warn} data-testid="hud-saved" role="status">
        {live ? "saving" : `${unsaved} kept here until ${connected ? "saved" : "online"}`}
      </span>
    );
  if (!at) return null;
  return (
    <span data-testid="hud-saved" role="status">
      saved {at.toLocaleTimeString("en-GB")}
    </span>
  );
}

/** Accepts or releases the mask of the frame in view. Shown if there is a mask. */
function Accept() {
  const { commands } = useStudio();
  const command = commandOf(commands, "frame.accept");
  const accepted = command.pressed?.() ?? false;
  if (!command.enabled() && !accepted) return null;
  const Icon = command.icon;
  return (
    <button
      type="button"
      class={`${css.figure} ${accepted ? css.ok : ""}`}
      aria-pressed={accepted}
      data-testid={testidOf(command.id)}
      disabled={!command.enabled()}
      title={
        accepted
          ? "No round changes this frame. Release it (A)"
          : "Accept this mask: no later round changes it (A)"
      }
      onClick={command.perform}
    >
      <Icon size={13} aria-hidden="true" />
      {accepted ? "accepted" : "accept"}
    </button>
  );
}
