/**
 * The rounds as a thin history, newest first: a dot, the number, the drawn frame, the number of scribbles and the time.
 * A row shows its round; the row that is shown has buttons to compare with the round before and to go back to it.
 */
import { ChevronDown, ChevronRight, GitCompare, Play, Redo2, RotateCcw, Undo2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { lookAt, moveHead, roundBack, roundForward } from "../actions/head";
import { setView } from "../actions/objects";
import { seek } from "../actions/playback";
import { canGoOn, goOn, retry } from "../actions/rounds";
import { duration, plural, workTime } from "../format";
import { Button } from "../parts/Button";
import { IconButton } from "../parts/IconButton";
import type { ObjectInfo, RoundInfo } from "../protocol";
import { isActive, isUndone } from "../state/line";
import { useStudio } from "../studio/context";
import css from "./Rounds.module.css";
import { ChangePreview } from "./rounds/ChangePreview";
import { type Entry, historyOf, splitAt } from "./rounds/history";
import { OlderRounds, scrolledTo } from "./rounds/OlderRounds";
import { changeOf, ObjectScores, ScoreCurve } from "./Scores";
import side from "./SidePanel.module.css";

export function Rounds() {
  const studio = useStudio();
  const { store } = studio;
  const truth = store.video.value?.truth_frames.length ?? 0;
  const scored = store.scores.value.size > 0;
  const older = store.older.value;
  const entries = historyOf({
    rounds: store.rounds.value,
    lines: store.lines.value,
    head: store.head.value,
    shown: store.shownRound.value,
    before: older?.before ?? 0,
  });
  const [newer, apart] = splitAt(entries, older?.before ?? 0);
  return (
    <section
      class={`${side.section} ${side.scrolls} ${side.yields}`}
      onScroll={(event) => scrolledTo(studio, event.currentTarget)}
      aria-label="Rounds"
      data-testid="rounds"
    >
      <div class={side.head}>
        <h2>Rounds</h2>
        {scored && (
          <small title={`J&F against ground truth in ${plural(truth, "frame")}`}>J&F, {truth} frames</small>
        )}
        <Work />
        <Move />
      </div>
      <ScoreCurve />
      {entries.length === 0 ? (
        <p class={side.none}>
          No round yet. Draw a scribble, then run a round: the engine finds the object in every frame.
        </p>
      ) : (
        <ol class={css.list}>
          <Rows entries={newer} />
          {older && <OlderRounds count={older.count} />}
          <Rows entries={apart} />
        </ol>
      )}
    </section>
  );
}

function Rows({ entries }: { entries: readonly Entry[] }) {
  return (
    <>
      {entries.map((entry) =>
        "round" in entry ? (
          <Row key={entry.round.id} round={entry.round} />
        ) : (
          <Folded key={`folded-${entry.folded[0]?.id}`} rounds={entry.folded} />
        ),
      )}
    </>
  );
}

/** How long people have worked on this video. */
function Work() {
  const { store } = useStudio();
  const seconds = store.seconds.value;
  const total = [...seconds.values()].reduce((sum, value) => sum + value, 0);
  if (total < 1) return null;
  const name = (number: number) =>
    store.objects.value.find((object) => object.number === number)?.name ?? "no object";
  const parts = [...seconds].map(([number, value]) => `${name(number)} ${workTime(value)}`);
  return (
    <small
      data-testid="rounds-work"
      title={`Time that people worked on this video, without pauses over 30 s: ${parts.join(", ")}`}
    >
      {workTime(total)} work
    </small>
  );
}

/** Moves the head one round back, or forward again, as Ctrl+Z does if there is nothing else to undo. */
function Move() {
  const studio = useStudio();
  const back = roundBack(studio);
  const forward = roundForward(studio);
  const can = studio.store.canDraw.value;
  return (
    <>
      <IconButton
        icon={Undo2}
        size="small"
        label="Undo the newest round"
        testid="round-back"
        disabled={!can || back === undefined}
        onClick={() => back !== undefined && moveHead(studio, back)}
      />
      <IconButton
        icon={Redo2}
        size="small"
        label="Redo the round"
        testid="round-forward"
        disabled={!can || forward === undefined}
        onClick={() => forward !== undefined && moveHead(studio, forward)}
      />
    </>
  );
}

function Folded({ rounds }: { rounds: readonly RoundInfo[] }) {
  const [open, setOpen] = useState(false);
  const numbers = rounds.map(({ number }) => number);
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <>
      <li>
        <button
          type="button"
          class={css.fold}
          aria-expanded={open}
          data-testid={`rounds-folded-${numbers[0]}`}
          title={`Undone: ${numbers.map((number) => `round ${number}`).join(", ")}`}
          onClick={() => setOpen(!open)}
        >
          <Icon size={14} aria-hidden="true" />
          {plural(rounds.length, "undone round")}
        </button>
      </li>
      {open && rounds.map((round) => <Row key={round.id} round={round} />)}
    </>
  );
}

function Row({ round }: { round: RoundInfo }) {
  const studio = useStudio();
  const { store, engines } = studio;
  const [hovered, setHovered] = useState<HTMLElement | null>(null);
  const head = store.head.value === round.id;
  const undone = isUndone(round, store.headLine.value);
  const shown = store.shownRound.value === round.id;
  const engine = engines.value.find(({ name }) => name === round.engine)?.title ?? round.engine;
  const what = whatOf(round, store.objects.value);
  return (
    <li
      class={css.item}
      data-testid={`round-${round.number}`}
      data-state={round.state}
      data-head={head}
      data-undone={undone}
      data-shown={shown}
    >
      <div
        class={css.row}
        onPointerEnter={(event) => event.pointerType === "mouse" && setHovered(event.currentTarget)}
        onPointerLeave={() => setHovered(null)}
      >
        <button
          type="button"
          class={css.open}
          aria-pressed={shown}
          aria-label={`Round ${round.number}${head ? ", current" : ""}${undone ? ", undone" : ""}: ${what}, ${round.author.name}, ${engine} ${stateOf(round)}`}
          data-testid={`round-${round.number}-look`}
          title={`${round.author.name} · ${engine}${head ? " · current" : ""}. Double click: go to frame ${round.frame}`}
          onClick={() => lookAt(studio, round.id)}
          onDblClick={() => seek(studio, round.frame)}
        >
          <i class={css.dot} aria-hidden="true" />
          <b>{round.number}</b>
          <span class={css.what}>{what}</span>
          <Figure round={round} />
        </button>
        <Ways round={round} undone={undone} shown={shown} />
      </div>
      {hovered && <ChangePreview round={round} beside={hovered} />}
      {round.state === "failed" && <Failure round={round} />}
      {canGoOn(studio, round) && (
        <div class={css.goOn}>
          <Button
            size="small"
            icon={Play}
            testid={`round-${round.number}-go-on`}
            title="Computes the frames that it did not reach, from its last masks on"
            disabled={store.active.value !== null || store.connection.value !== "live"}
            onClick={() => goOn(studio, round)}
          >
            Go on where it stopped
          </Button>
        </div>
      )}
      {shown && <ObjectScores round={round.id} />}
    </li>
  );
}

const EDITED = {
  clear: "cleared",
  copy: "copied to",
  merge: "merged in",
  swap: "swapped in",
  split: "split in",
  interpolate: "interpolated",
} as const;

/** Says what a version is: "frame 4 · 2 scribbles", "frame 4 · painted rider", "12–40 · cleared rider". */
export function whatOf(round: RoundInfo, objects: readonly ObjectInfo[]): string {
  const names = (numbers: readonly number[]) =>
    numbers.map((number) => objects.find((object) => object.number === number)?.name ?? number).join(", ");
  const { edit, frame, origin, scribbles } = round;
  if (origin === "imported") return `imported from ${round.source}`;
  if (origin === "painted") return `frame ${frame} · painted ${names(round.objects ?? [])}`;
  if (edit) {
    const span = edit.first === edit.last ? `frame ${edit.first}` : `${edit.first}–${edit.last}`;
    return `${span} · ${EDITED[edit.op]} ${names(edit.objects)}`;
  }
  const frames = round.drawn.length > 1 ? plural(round.drawn.length, "frame") : `frame ${frame}`;
  return `${frames} · ${scribbles.length > 0 ? plural(scribbles.length, "scribble") : "from its mask"}`;
}

/** Shows J&F and its change if there is ground truth, else the state of the round or its time. */
function Figure({ round }: { round: RoundInfo }) {
  const { store } = useStudio();
  const score = store.scores.value.get(round.id);
  if (!score) return <span class={css.figure}>{stateOf(round) || timeOf(round)}</span>;
  const base = round.base === null ? undefined : store.scores.value.get(round.base);
  const change = base ? changeOf(score, base) : null;
  return (
    <span
      class={css.figure}
      data-better={change !== null && change >= 0.0005}
      data-testid={`round-${round.number}-score`}
    >
      {score.jf.toFixed(3)}
      {change !== null && ` ${changeText(change)}`}
    </span>
  );
}

/** Returns "▲ .021". A change that rounds to .000 has no arrow. */
export function changeText(change: number): string {
  const size = Math.abs(change).toFixed(3).replace(/^0/, "");
  if (size === ".000") return size;
  return `${change < 0 ? "▼" : "▲"} ${size}`;
}

export function stateOf(round: RoundInfo): string {
  if (isActive(round) && round.cancel_requested) return "stopping";
  if (round.state === "queued") return "waiting";
  if (round.state === "running") return `${Math.floor((100 * round.done) / Math.max(1, round.total))} %`;
  if (round.state === "cancelled") return round.done > 0 ? `stopped at ${round.done}` : "stopped";
  if (round.state === "superseded") return `replaced at ${round.done}`;
  return round.state === "failed" ? "failed" : "";
}

function timeOf(round: RoundInfo): string {
  if (round.seconds === null || isActive(round) || round.origin === "painted") return "";
  return duration(round.seconds);
}

function Failure({ round }: { round: RoundInfo }) {
  const studio = useStudio();
  const { store } = studio;
  const own = round.author.id === store.you.value?.id && store.canDraw.value;
  return (
    <div class={css.failure} role="alert" data-testid={`round-${round.number}-failure`}>
      <p>{round.error || "The round failed, and the worker gave no reason. Its log says more."}</p>
      {own && (
        <Button
          size="small"
          icon={RotateCcw}
          testid={`round-${round.number}-retry`}
          onClick={() => retry(studio, round)}
        >
          Try again
        </Button>
      )}
    </div>
  );
}

/** The buttons of a row: compare with the round before, and continue from a round that is shown or was undone. */
function Ways({ round, undone, shown }: { round: RoundInfo; undone: boolean; shown: boolean }) {
  const studio = useStudio();
  const { store } = studio;
  const comparing = shown && store.view.value.mode === "changes";
  const head = store.head.value === round.id;
  const made = round.frames.length > 0 || isActive(round);
  const goes = store.canDraw.value && made && !head && (shown || undone);
  return (
    <span class={css.ways}>
      {round.base !== null && round.frames.length + round.done > 0 && (
        <IconButton
          icon={GitCompare}
          size="small"
          pressed={comparing}
          label={comparing ? "Hide the changes" : `Show what round ${round.number} changed`}
          testid={`round-${round.number}-compare`}
          onClick={() => {
            lookAt(studio, round.id);
            setView(studio, () => ({ mode: comparing ? "overlay" : "changes" }));
          }}
        />
      )}
      {goes && (
        <IconButton
          icon={RotateCcw}
          size="small"
          label={`Go back to round ${round.number}. Nothing is deleted.`}
          testid={`round-${round.number}-go`}
          onClick={() => moveHead(studio, round.id)}
        />
      )}
    </span>
  );
}
