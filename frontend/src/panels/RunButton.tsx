/**
 * The button that runs a round. While a round of this person runs, the same button shows how far it is and cancels it,
 * so nothing beside it moves.
 */
import { framesToRun } from "../actions/rounds";
import { remaining } from "../format";
import { Kbd } from "../parts/Kbd";
import { commandOf } from "../studio/command";
import { useStudio } from "../studio/context";
import css from "./RunButton.module.css";

/** What the button needs to know of a round. */
interface Running {
  number: number;
  state: string;
  cancel_requested: boolean;
  done: number;
  total: number;
  seconds: number | null;
}

export function RunButton() {
  const { store, commands } = useStudio();
  const studio = useStudio();
  const running = store.active.value;
  const own = store.ownActive.value;
  const waiting = store.queue.value.length;
  const cancel = commandOf(commands, "round.cancel");
  if (!running && waiting === 0) return <Run />;
  // While a round of somebody else runs, one's own can be sent: it waits on the server.
  const theirs = running !== null && own === null;
  if (theirs && waiting === 0 && (!cancel.enabled() || framesToRun(studio).length > 0))
    return <Run below={running} />;
  const active = own ?? running;
  const text = !active
    ? "about to run"
    : running && active !== running && !active.cancel_requested
      ? `after round ${running.number} of ${running.author.name}`
      : progressText(active);
  return (
    <button
      type="button"
      class={`${css.run} ${css.running}`}
      data-testid="round-cancel"
      disabled={!cancel.enabled()}
      aria-label={`Cancel round ${active?.number ?? ""}`}
      aria-keyshortcuts="Escape"
      title={cancelTitle(active)}
      onClick={cancel.perform}
    >
      <Bar running={running} />
      <b>{active?.cancel_requested ? "Stopping" : "Cancel"}</b>
      <span class={css.figures} data-testid="run-progress">
        {text}
        {waiting > 0 && active && ` +${waiting}`}
      </span>
    </button>
  );
}

function Run({ below }: { below?: Running }) {
  const studio = useStudio();
  const command = commandOf(studio.commands, "round.run");
  const waits = new Set(studio.store.queue.value.flatMap((item) => item.frames));
  const frames = framesToRun(studio).filter((frame) => !waits.has(frame));
  const key = command.keys[0];
  return (
    <button
      type="button"
      class={css.run}
      data-testid="round-run"
      disabled={!command.enabled()}
      aria-keyshortcuts={key}
      title={titleOf(frames)}
      onClick={command.perform}
    >
      {below && <Bar running={below} />}
      <b>{frames.length > 1 ? `Run ${frames.length} frames` : "Run round"}</b>
      {key && <Kbd keys={key} />}
    </button>
  );
}

function titleOf(frames: readonly number[]): string {
  if (frames.length === 0) return "Draw a scribble first";
  if (frames.length === 1) return `Takes what you drew on frame ${frames[0]} through the video`;
  return `You drew on frames ${frames.slice(0, 6).join(", ")}${frames.length > 6 ? ", …" : ""}`;
}

function Bar({ running }: { running: Running | null }) {
  const known = running !== null && running.state !== "queued" && running.total > 0;
  const percent = known ? Math.round((100 * running.done) / running.total) : 0;
  return (
    <span
      class={css.bar}
      role="progressbar"
      aria-label={running ? `Round ${running.number}` : "The next round"}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(known && { "aria-valuenow": percent })}
    >
      <i style={{ width: `${percent}%` }} />
    </span>
  );
}

/** Frames a second; 0 before the first frame is done. */
const rateOf = (round: Running): number => (round.seconds && round.done ? round.done / round.seconds : 0);

/** "61/80 · 1 s" */
export function progressText(round: Running): string {
  if (round.cancel_requested) return "";
  if (round.state === "queued") return "waiting";
  const rate = rateOf(round);
  const parts = [`${round.done}/${round.total}`];
  if (rate > 0) parts.push(remaining((round.total - round.done) / rate));
  return parts.join(" · ");
}

/** Says what the button does and, once it is known, how fast the round is. */
export function cancelTitle(round: Running | null): string {
  const rate = round ? rateOf(round) : 0;
  const pace = rate > 0 ? `It computes ${rate.toFixed(rate < 10 ? 1 : 0)} frames a second. ` : "";
  return `${pace}Stops the running round. The masks that it has computed stay. (Esc)`;
}
