/**
 * The rounds as cards, newest first, each with its author, frame, engine and time. A card shows, compares or restores
 * its round.
 */
import { GitCompare, Redo2, RotateCcw, Undo2 } from "lucide-preact";
import { lookAt, moveHead, roundBack, roundForward } from "../actions/head";
import { setView } from "../actions/objects";
import { seek } from "../actions/playback";
import { retry } from "../actions/rounds";
import { duration } from "../format";
import { Button } from "../parts/Button";
import { IconButton } from "../parts/IconButton";
import { Progress } from "../parts/Progress";
import type { RoundInfo } from "../protocol";
import { isActive, isUndone } from "../state/line";
import { useStudio } from "../studio/context";
import css from "./Rounds.module.css";
import { changeOf, ObjectScores, ScoreCurve } from "./Scores";
import side from "./SidePanel.module.css";

export function Rounds() {
  const { store } = useStudio();
  const rounds = [...store.rounds.value.values()].sort((a, b) => b.number - a.number);
  const truth = store.video.value?.truth_frames.length ?? 0;
  const scored = store.scores.value.size > 0;
  return (
    <section
      class={`${side.section} ${side.scrolls} ${side.yields}`}
      aria-label="Rounds"
      data-testid="rounds"
    >
      <div class={side.head}>
        <h2>Rounds</h2>
        {scored && <small>J&F on {truth} truth frames</small>}
        <Move />
      </div>
      <ScoreCurve />
      {rounds.length === 0 ? (
        <p class={side.none}>
          No round yet. Draw a scribble, then run a round: the engine finds the object in every frame.
        </p>
      ) : (
        <ol class={css.list}>
          {rounds.map((round) => (
            <Card key={round.id} round={round} />
          ))}
        </ol>
      )}
    </section>
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

function Card({ round }: { round: RoundInfo }) {
  const studio = useStudio();
  const { store, engines } = studio;
  const head = store.head.value === round.id;
  const undone = isUndone(round, store.headLine.value);
  const shown = store.shownRound.value === round.id;
  const engine = engines.value.find(({ name }) => name === round.engine)?.title ?? round.engine;
  return (
    <li
      class={css.card}
      data-testid={`round-${round.number}`}
      data-state={round.state}
      data-head={head}
      data-undone={undone}
      data-shown={shown}
    >
      <Compare round={round} shown={shown} />
      <button
        type="button"
        class={css.open}
        aria-pressed={shown}
        data-testid={`round-${round.number}-look`}
        title={`Look at round ${round.number}`}
        onClick={() => lookAt(studio, round.id)}
        onDblClick={() => seek(studio, round.frame)}
      >
        <span class={css.line}>
          <b>
            Round {round.number}
            {head && <em>current</em>}
          </b>
          <Figure round={round} />
        </span>
        <span class={css.sub}>
          <span>
            {round.author.name} · frame {round.frame} · {engine}
          </span>
          <span class={css.mono}>{timeOf(round)}</span>
        </span>
      </button>
      {isActive(round) && (
        <Progress
          value={round.state === "queued" || round.total === 0 ? null : round.done / round.total}
          label={`Round ${round.number}`}
          testid={`round-${round.number}-progress`}
        />
      )}
      {round.state === "failed" && <Failure round={round} />}
      {shown && <ObjectScores round={round.id} />}
      <Ways round={round} undone={undone} shown={shown} />
    </li>
  );
}

/** Shows J&F and its change if there is ground truth, else the state of the round. */
function Figure({ round }: { round: RoundInfo }) {
  const { store } = useStudio();
  const score = store.scores.value.get(round.id);
  if (!score) return <span class={css.state}>{stateOf(round)}</span>;
  const base = round.base === null ? undefined : store.scores.value.get(round.base);
  const change = base ? changeOf(score, base) : null;
  return (
    <span
      class={css.mono}
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
  return round.seconds === null || isActive(round) ? "" : duration(round.seconds);
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

/** Offers to continue from a round that is shown or was undone. */
function Ways({ round, undone, shown }: { round: RoundInfo; undone: boolean; shown: boolean }) {
  const studio = useStudio();
  const { store } = studio;
  const head = store.head.value === round.id;
  const made = round.frames.length > 0 || isActive(round);
  const goable = store.canDraw.value && made && !head && (shown || undone);
  if (!goable) return undone ? <p class={css.gone}>undone</p> : null;
  return (
    <div class={css.ways}>
      {undone && <span class={css.sub}>undone</span>}
      <span class={css.grow} />
      <Button
        size="small"
        tone="quiet"
        icon={RotateCcw}
        testid={`round-${round.number}-go`}
        title={`Continue from round ${round.number}. Nothing is deleted.`}
        onClick={() => moveHead(studio, round.id)}
      >
        Go back
      </Button>
    </div>
  );
}

/** Shows what the round changed compared with its base. */
function Compare({ round, shown }: { round: RoundInfo; shown: boolean }) {
  const studio = useStudio();
  const comparing = shown && studio.store.view.value.mode === "changes";
  if (round.base === null || round.frames.length + round.done === 0) return null;
  return (
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
  );
}
