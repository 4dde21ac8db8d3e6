/** Shows whether the page is connected, and how much is not saved yet. */
import type { Connection } from "../state/store";
import { useStudio } from "../studio/context";
import css from "./TopBar.module.css";

const WORDS: Record<Connection, string> = {
  connecting: "connecting",
  live: "live",
  lost: "offline",
  closed: "closed",
};

export function ConnectionState() {
  const { store, outbox } = useStudio();
  const state = store.connection.value;
  const connected = state === "live";
  const live = connected && !outbox.retrying.value;
  const waiting = outbox.count.value;
  const look = live ? css.live : connected || state === "lost" ? css.lost : "";
  const trouble = connected ? "The server cannot save just now." : "Not connected.";
  const title = live
    ? (store.worker.value?.text ?? "Connected")
    : `${trouble} ${waiting > 0 ? `${waiting} changes are kept here and sent later.` : "What you draw is kept here."}`;
  return (
    <span
      class={`${css.pill} ${look}`}
      data-testid="connection"
      data-state={state}
      role="status"
      title={title}
    >
      <i class={css.dot} aria-hidden="true" />
      {connected && !live ? "saving again" : WORDS[state]}
      {!live && waiting > 0 && <span> · {waiting}</span>}
    </span>
  );
}
