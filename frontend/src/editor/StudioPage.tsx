/** The page of one video: its frames, objects, rounds and timeline. */
import { useEffect, useState } from "preact/hooks";
import { showKeyBadges } from "../actions/keyBadges";
import { arrived } from "../api/session";
import { Announcer } from "../panels/Announcer";
import { Dock } from "../panels/Dock";
import { ExportDialog } from "../panels/ExportDialog";
import { HelpDialog } from "../panels/HelpDialog";
import { JobStrip } from "../panels/JobStrip";
import { KeysDialog } from "../panels/KeysDialog";
import { SidePanel } from "../panels/SidePanel";
import { RejectDialog, SubmitDialog } from "../panels/SubmitDialog";
import { Timeline } from "../panels/Timeline";
import { ToolRail } from "../panels/ToolRail";
import { TopBar } from "../panels/TopBar";
import { StudioContext, useStudio } from "../studio/context";
import type { Studio } from "../studio/studio";
import { openVideo } from "./open";
import { Stage } from "./Stage";
import css from "./StudioPage.module.css";
import { NoFrames, Opening, ProblemPage } from "./states";

export default function StudioPage({ video }: { video: number }) {
  const [studio, setStudio] = useState<Studio | null>(null);
  useEffect(() => {
    arrived.value = true;
    const opened = openVideo(video);
    setStudio(opened);
    return () => opened.close();
  }, [video]);
  return (
    studio && (
      <StudioContext.Provider value={studio}>
        <Page />
      </StudioContext.Provider>
    )
  );
}

function Page() {
  const { store } = useStudio();
  const video = store.video.value;
  const name = video?.name;
  useEffect(showKeyBadges, []);
  useEffect(() => {
    if (name) document.title = `${name} · Maskwright`;
  }, [name]);
  if (store.problem.value) return <ProblemPage problem={store.problem.value} />;
  if (!video) return <Opening />;
  if (video.frame_count === 0) return <NoFrames project={video.project} />;
  return (
    <div class={css.studio} data-testid="studio" data-drawer={store.drawer.value ? "open" : undefined}>
      <TopBar />
      <JobStrip />
      <ToolRail />
      <Stage />
      <SidePanel />
      <div class={css.time}>
        <Dock />
        <Timeline />
      </div>
      <Announcer />
      <Dialogs />
    </div>
  );
}

function Dialogs() {
  const { store, commands } = useStudio();
  const close = () => {
    store.dialog.value = null;
  };
  const dialog = store.dialog.value;
  if (dialog === "keys") return <KeysDialog commands={commands} onClose={close} />;
  if (dialog === "help") return <HelpDialog commands={commands} onClose={close} />;
  const job = store.job.value;
  if (dialog === "submit") return job && <SubmitDialog job={job} onClose={close} />;
  if (dialog === "reject") return job && <RejectDialog job={job} onClose={close} />;
  if (dialog !== "export") return null;
  const looking = store.looking.value === null ? undefined : store.rounds.value.get(store.looking.value);
  const round = looking ? { id: looking.id, number: looking.number } : null;
  return <ExportDialog video={store.id} round={round} empty={store.head.value === null} onClose={close} />;
}
