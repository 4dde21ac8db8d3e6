/** The bar at the top: project and video, people, engine, and the buttons to run and export. Nothing in it moves. */
import { PanelRightClose, PanelRightOpen } from "lucide-preact";
import { keptList } from "../api/keptList";
import { plural } from "../format";
import { Avatar } from "../parts/Avatar";
import { IconButton } from "../parts/IconButton";
import { Logo } from "../parts/Logo";
import { useStudio } from "../studio/context";
import { CommandButton, CommandIcon } from "./CommandButton";
import { ConnectionState } from "./ConnectionState";
import { EngineMenu } from "./EngineMenu";
import { RunButton } from "./RunButton";
import css from "./TopBar.module.css";

export function TopBar() {
  return (
    <header class={css.bar}>
      <a href="/" class={css.home} aria-label="Maskwright: your projects" data-testid="home">
        <Logo />
      </a>
      <Crumbs />
      <span class={css.neighbours}>
        <CommandIcon id="video.previous" size="small" />
        <CommandIcon id="video.next" size="small" />
      </span>
      <ConnectionState />
      <Facts />
      <span class={css.grow} />
      <People />
      <EngineMenu />
      <RunButton />
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
      <a
        href={keptList(video.project)?.address ?? `/projects/${video.project}`}
        data-testid="crumb-project"
        title={video.project_name}
      >
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
