/** The bar at the top: project and video, people, engine, the running round, and the buttons to run and export. */
import { PanelRightClose, PanelRightOpen } from "lucide-preact";
import { framesToRun } from "../actions/rounds";
import { plural, remaining } from "../format";
import { Avatar } from "../parts/Avatar";
import { IconButton } from "../parts/IconButton";
import { Logo } from "../parts/Logo";
import { useStudio } from "../studio/context";
import { CommandButton } from "./CommandButton";
import { ConnectionState } from "./ConnectionState";
import { EngineMenu } from "./EngineMenu";
import css from "./TopBar.module.css";

export function TopBar() {
  return (
    <header class={css.bar}>
      <a href="/" class={css.home} aria-label="Maskwright: your projects" data-testid="home">
        <Logo />
      </a>
      <Crumbs />
      <ConnectionState />
      <Facts />
      <span class={css.grow} />
      <People />
      <EngineMenu />
      <Working />
      <Run />
      <CommandButton id="export.open" />
      <DrawerButton />
    </header>
  );
}

function Crumbs() {
  const video = useStudio().store.video.value;
  if (!video) return null;
  return (
    <nav class={css.crumbs} aria-label="You are here">
      <a href={`/projects/${video.project}`} data-testid="crumb-project" title={video.project_name}>
        {video.project_name}
      </a>
      <span aria-hidden="true">/</span>
      <b data-testid="video-name" title={video.name}>
        {video.name}
      </b>
    </nav>
  );
}

function Facts() {
  const video = useStudio().store.video.value;
  if (!video) return null;
  const fps = video.fps ? ` · ${Number(video.fps.toFixed(2))} fps` : "";
  return (
    <span class={`${css.pill} ${css.facts}`} data-testid="video-facts">
      {video.width}x{video.height}
      {fps} · {plural(video.frame_count, "frame")}
    </span>
  );
}

const FACES = 4;

function People() {
  const { store } = useStudio();
  // A person with two windows is shown once.
  const viewers = [...new Map(store.presence.value.map((viewer) => [viewer.person.id, viewer])).values()];
  if (viewers.length === 0) return null;
  const rest = viewers.length - FACES;
  return (
    <span class={css.people} data-testid="people">
      {viewers.slice(0, FACES).map(({ person, frame }) => {
        const note = person.id === store.you.value?.id ? `you, frame ${frame}` : `frame ${frame}`;
        return <Avatar key={person.id} id={person.id} name={person.name} note={note} />;
      })}
      {rest > 0 && <small>+{rest}</small>}
    </span>
  );
}

/** The progress of the running round, and the button to stop it. Shown only while a round waits or runs. */
function Working() {
  const { store } = useStudio();
  const active = store.active.value;
  const waits = store.queue.value.length;
  if (!active && waits === 0) return null;
  return (
    <>
      <span class={css.working} data-testid="run-progress" role="status">
        {active ? progressText(active) : "about to run"}
        {waits > 0 && active && ` · then ${waits} more`}
      </span>
      <CommandButton id="round.cancel" title="Stop the running round. The masks that it has computed stay." />
    </>
  );
}

/** "round 3 · 61/80 · 22 f/s · 1 s" */
export function progressText(round: {
  number: number;
  state: string;
  cancel_requested: boolean;
  done: number;
  total: number;
  seconds: number | null;
}): string {
  const name = `round ${round.number}`;
  if (round.cancel_requested) return `${name} · stopping`;
  if (round.state === "queued") return `${name} · waiting for the worker`;
  const rate = round.seconds && round.done ? round.done / round.seconds : 0;
  const parts = [name, `${round.done}/${round.total}`];
  if (rate > 0)
    parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} f/s`, remaining((round.total - round.done) / rate));
  return parts.join(" · ");
}

function Run() {
  const studio = useStudio();
  const waits = new Set(studio.store.queue.value.map((item) => item.frame));
  const frames = framesToRun(studio).filter((frame) => !waits.has(frame));
  const label = frames.length > 1 ? `Run ${frames.length} rounds` : "Run round";
  const title =
    frames.length > 1
      ? `Scribbles wait on frames ${frames.slice(0, 6).join(", ")}${frames.length > 6 ? ", …" : ""}`
      : frames.length === 0
        ? "Draw a scribble first"
        : `Runs what you drew on frame ${frames[0]}`;
  return <CommandButton id="round.run" tone="accent" label={label} title={title} />;
}

function DrawerButton() {
  const { store } = useStudio();
  const open = store.drawer.value;
  return (
    <span class={css.drawer}>
      <IconButton
        icon={open ? PanelRightClose : PanelRightOpen}
        label={open ? "Hide objects and rounds" : "Show objects and rounds"}
        testid="drawer-toggle"
        pressed={open}
        onClick={() => {
          store.drawer.value = !open;
        }}
      />
    </span>
  );
}
