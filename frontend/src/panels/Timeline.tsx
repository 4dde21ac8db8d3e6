/** The timeline: playback controls, the current frame, the legend, and the track. */

import { useSignal } from "@preact/signals";
import { ChevronDown, Pause } from "lucide-preact";
import { useMemo, useState } from "preact/hooks";
import { RATES, seek } from "../actions/playback";
import { IconButton } from "../parts/IconButton";
import { Menu } from "../parts/Menu";
import { needsFix } from "../state/suggest";
import { commandOf, keyOf } from "../studio/command";
import { useStudio } from "../studio/context";
import { ScopeMenu } from "./ScopeMenu";
import { SpanBar } from "./SpanBar";
import css from "./Timeline.module.css";
import { Lanes } from "./timeline/Lanes";
import { clampHeight, layoutOf } from "./timeline/layout";
import { ResizeHandle } from "./timeline/ResizeHandle";
import { Track } from "./timeline/Track";

export function Timeline() {
  const { store } = useStudio();
  const offset = useSignal(0);
  const height = clampHeight(store.view.value.timeline);
  const layout = useMemo(() => layoutOf(height), [height]);
  return (
    <section class={css.timeline} aria-label="Timeline" data-testid="timeline-panel">
      <ResizeHandle />
      <div class={css.controls}>
        <CommandIcon id="frame.previous" />
        <CommandIcon id="play" />
        <CommandIcon id="frame.next" />
        <Rate />
        <Counter />
        <ScopeMenu />
        <CommandIcon id="cut.toggle" />
        <span class={css.grow} />
        {store.selection.value ? <SpanBar span={store.selection.value} /> : <Legend />}
      </div>
      <div class={css.body}>
        <Lanes layout={layout} offset={offset} />
        <Track layout={layout} offset={offset} />
      </div>
    </section>
  );
}

function CommandIcon({ id }: { id: string }) {
  const { commands, store } = useStudio();
  const command = commandOf(commands, id);
  const playing = id === "play" && store.playing.value;
  return (
    <IconButton
      icon={playing ? Pause : command.icon}
      label={playing ? "Pause" : id === "play" ? "Play" : command.name}
      hotkey={keyOf(commands, id)}
      size="small"
      testid={id.replace(".", "-")}
      disabled={!command.enabled()}
      {...(command.pressed && id !== "play" ? { pressed: command.pressed() } : {})}
      onClick={() => command.perform()}
    />
  );
}

/** How playback goes: its rate, and whether it begins again at its end. */
export function Rate() {
  const { store } = useStudio();
  return (
    <span class={css.rate}>
      <CommandIcon id="play.loop" />
      <Menu
        label={`Rate of playback: ${store.rate.value}× (< and >)`}
        testid="play-rate"
        class={css.rateButton ?? ""}
        items={RATES.map((rate) => ({
          name: `${rate}×`,
          testid: `play-rate-${rate}`,
          checked: rate === store.rate.value,
          perform: () => {
            store.rate.value = rate;
          },
        }))}
      >
        {store.rate.value}×
        <ChevronDown size={13} aria-hidden="true" />
      </Menu>
    </span>
  );
}

/** The number of the current frame. Typing another number goes there. */
function Counter() {
  const studio = useStudio();
  const { store } = studio;
  const [typed, setTyped] = useState<string | null>(null);
  const last = Math.max(0, (store.video.value?.frame_count ?? 1) - 1);
  const digits = String(last).length;
  const pad = (frame: number) => String(frame).padStart(Math.max(4, digits), "0");
  const go = () => {
    if (typed !== null && /^\d+$/.test(typed.trim())) seek(studio, Number(typed));
    setTyped(null);
  };
  return (
    <span class={css.counter}>
      <input
        type="text"
        inputMode="numeric"
        aria-label={`Frame, of ${last}`}
        data-testid="frame-number"
        size={Math.max(4, digits)}
        value={typed ?? pad(store.frame.value)}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={go}
        onKeyDown={(event) => {
          if (event.key === "Escape") setTyped(null);
          if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <span>/ {pad(last)}</span>
    </span>
  );
}

/** The legend of the track, with the numbers of frames to fix and of accepted frames. */
function Legend() {
  const { store } = useStudio();
  const accepted = store.accepted.value;
  const toFix = store.summaries.value.filter(
    (summary, frame) => needsFix(summary) && !accepted.has(frame),
  ).length;
  const truth = store.video.value?.truth_frames.length ?? 0;
  return (
    <div class={css.legend} data-testid="timeline-legend">
      <span>
        <i class={css.diamond} />
        drawn
      </span>
      <span class={toFix ? css.fix : undefined} data-testid="to-fix">
        <i class={css.bar} />
        {toFix ? `${toFix.toLocaleString("en")} to fix` : "to fix"}
      </span>
      <span class={accepted.size ? css.accepted : undefined}>
        <i class={css.line} />
        {accepted.size ? `${accepted.size.toLocaleString("en")} accepted` : "accepted"}
      </span>
      {truth > 0 && (
        <span>
          <i class={css.thin} />
          truth
        </span>
      )}
    </div>
  );
}
