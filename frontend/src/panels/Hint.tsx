/** Suggests what to do next: the first steps on a new video, later the frame that most needs a correction. */

import { framesToRun } from "../actions/rounds";
import { Kbd } from "../parts/Kbd";
import { commandOf, keyOf } from "../studio/command";
import { useStudio } from "../studio/context";
import css from "./Dock.module.css";

export function Hint() {
  const studio = useStudio();
  const { store, commands } = studio;
  const key = keyOf(commands, "frame.suggested");
  if (store.rounds.value.size === 0) return store.canDraw.value ? <FirstSteps /> : null;
  const next = store.suggestion.value;
  if (!next || store.active.value || store.playing.value) return null;
  return (
    <button
      type="button"
      class={css.hint}
      data-testid="next-to-fix"
      onClick={() => commandOf(commands, "frame.suggested").perform()}
    >
      <span>
        <b>Next to fix: frame {next.frame}</b>
        <small>{next.reason}</small>
      </span>
      {key && <Kbd keys={key} />}
    </button>
  );
}

function FirstSteps() {
  const studio = useStudio();
  const key = keyOf(studio.commands, "round.run");
  const drawn = framesToRun(studio).length > 0;
  return (
    <div class={css.hint} data-testid="first-steps" role="status">
      {drawn ? (
        <span>
          <b>Now run the round</b>
          <small>
            The engine computes the masks of all frames, this one first. You can draw for other objects before
            that.
          </small>
        </span>
      ) : (
        <span>
          <b>Draw a line inside an object</b>
          <small>
            A short line along its middle is enough: the engine finds the edges, here and in all other frames.
          </small>
        </span>
      )}
      {drawn && key && <Kbd keys={key} />}
    </div>
  );
}
