/** One line over the stage about what is unusual: offline, no worker, looking at another round, read-only. */
import type { ComponentChildren } from "preact";
import { lookAt, moveHead } from "../actions/head";
import { Button } from "../parts/Button";
import { useStudio } from "../studio/context";
import { CommandButton } from "./CommandButton";
import css from "./Floating.module.css";

/** Shows the most important line only, because several would cover the frame. */
export function Banner() {
  const { store, outbox } = useStudio();
  if (store.connection.value === "lost") return <Offline />;
  if (outbox.retrying.value) return <NotStored />;
  if (store.looking.value !== null) return <LookingAt round={store.looking.value} />;
  const worker = store.worker.value;
  if (worker && !worker.alive) {
    return (
      <Line tone="warn" testid="banner-worker">
        {worker.text}
      </Line>
    );
  }
  if (store.keyPen.value) {
    return (
      <Line tone="plain" testid="banner-pen">
        Arrow keys move the pen (Shift: smaller steps), Space puts it down and lifts it.
        <CommandButton id="tool.keys" label="Done" size="small" />
      </Line>
    );
  }
  if (!store.canDraw.value)
    return (
      <Line tone="plain" testid="banner-viewer">
        You can look at this project, but not change it. Ask a manager for the annotator role.
      </Line>
    );
  return null;
}

function Offline() {
  const { socket } = useStudio();
  return (
    <Line tone="warn" testid="banner-offline">
      The connection is lost. You can go on drawing: scribbles are kept here and sent when it is back.
      <Button size="small" testid="banner-reconnect" onClick={socket.now}>
        Try now
      </Button>
    </Line>
  );
}

/** For a person this is like being offline: what they do is kept here and sent later. */
function NotStored() {
  const { outbox } = useStudio();
  return (
    <Line tone="warn" testid="banner-offline">
      The server cannot save at the moment. You can go on drawing: scribbles are kept here and saved later.
      <Button size="small" testid="banner-reconnect" onClick={outbox.flush}>
        Try now
      </Button>
    </Line>
  );
}

function LookingAt({ round }: { round: number }) {
  const studio = useStudio();
  const { store } = studio;
  const shown = store.rounds.value.get(round);
  if (!shown) return null;
  return (
    <Line tone="plain" testid="banner-looking">
      You are looking at round {shown.number}.
      {store.canDraw.value && (
        <Button size="small" testid="looking-go" onClick={() => moveHead(studio, round)}>
          Continue from it
        </Button>
      )}
      <Button size="small" testid="looking-end" hotkey="G" onClick={() => lookAt(studio, null)}>
        Back to the current round
      </Button>
    </Line>
  );
}

function Line({
  tone,
  testid,
  children,
}: {
  tone: "warn" | "plain";
  testid: string;
  children: ComponentChildren;
}) {
  return (
    <div class={`${css.banner} ${tone === "warn" ? css.warning : ""}`} role="status" data-testid={testid}>
      {children}
    </div>
  );
}
