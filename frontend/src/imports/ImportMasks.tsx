/** The dialog that brings masks in from a file: what for, the file, its labels, and what was brought in. */
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem } from "../api/load";
import { may } from "../api/roles";
import type { MaskImport, Project, Video } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField } from "../parts/Field";
import { Progress } from "../parts/Progress";
import { toastError } from "../parts/Toast";
import css from "./ImportMasks.module.css";
import { answerLabels, cancelImport, follow, isRunning, type Labels, startImport } from "./imports";
import { LabelQuestion } from "./LabelQuestion";

/** The types of files that the browser's dialog offers. The server decides by a file's content, not by its name. */
const ACCEPT = ".zip,.json,.xml,.txt,.npz,application/zip,application/json,text/xml,text/plain";

export interface ImportMasksProps {
  project: Project;
  /** The videos that the masks may be for. */
  videos: readonly Video[];
  onClose: () => void;
  /** Called when masks were brought in. */
  onDone: () => void;
}

export function ImportMasks({ project, videos, onClose, onDone }: ImportMasksProps) {
  const [video, setVideo] = useState("");
  const [truth, setTruth] = useState(false);
  const [sent, setSent] = useState<number | null>(null);
  const [now, setNow] = useState<MaskImport | null>(null);
  const [problem, setProblem] = useState("");
  const stop = useRef(new AbortController());
  const answering = useRef(false); // The labels were sent, and the server has not answered.
  useEffect(() => () => stop.current.abort(), []);

  /** Runs a step, and then follows the import that it returns. */
  const go = async (step: (signal: AbortSignal) => Promise<MaskImport>) => {
    setProblem("");
    const { signal } = stop.current;
    try {
      const started = await step(signal);
      if (signal.aborted) return;
      await follow(started, signal, (row) => {
        setNow(row);
        if (row.state === "done") onDone();
      });
    } catch (error) {
      if (!signal.aborted) setProblem(asProblem(error).message);
    }
    if (!signal.aborted) setSent(null);
  };
  const begin = (file: File) => {
    setNow(null);
    setSent(0);
    const wanted = { project: project.id, video: video ? Number(video) : null, truth };
    go(async (signal) => {
      const started = await startImport(wanted, file, signal, setSent);
      // It was cancelled while the server was starting it, so nobody knew its id before.
      if (signal.aborted) cancelImport(started).catch(toastError);
      return started;
    });
  };
  const cancel = async () => {
    stop.current.abort();
    stop.current = new AbortController();
    setSent(null);
    setNow(null);
    if (now) await cancelImport(now).catch((error) => setProblem(asProblem(error).message));
  };

  const answer = async (asked: MaskImport, labels: Labels) => {
    answering.current = true;
    await go(() => answerLabels(asked, labels));
    answering.current = false;
  };
  /** An import that asks for labels goes no further without this dialog. */
  const close = () => {
    if (asking && !answering.current) cancelImport(asking).catch(toastError);
    onClose();
  };

  const busy = sent !== null || (now !== null && isRunning(now));
  const asking = now?.state === "asking" ? now : null;
  return (
    <Dialog title="Import masks" testid="import-masks" onClose={close}>
      {!busy && !asking && (
        <Choices
          project={project}
          videos={videos}
          video={video}
          onVideo={setVideo}
          truth={truth}
          onTruth={setTruth}
          again={now !== null || problem !== ""}
          onFile={begin}
        />
      )}
      {busy && <Working sent={now ? null : sent} now={now} onCancel={cancel} />}
      {asking && (
        <LabelQuestion
          labels={asking.unknown_labels}
          project={project}
          onAnswer={(labels) => answer(asking, labels)}
          onCancel={cancel}
        />
      )}
      {now?.state === "done" && <Result now={now} />}
      {(problem || now?.state === "failed") && (
        <p class={css.problem} role="alert" data-testid="import-problem">
          {problem || now?.error}
        </p>
      )}
    </Dialog>
  );
}

interface ChoicesProps {
  project: Project;
  videos: readonly Video[];
  video: string;
  onVideo: (video: string) => void;
  truth: boolean;
  onTruth: (truth: boolean) => void;
  /** Whether a file was imported or refused before. */
  again: boolean;
  onFile: (file: File) => void;
}

function Choices({ project, videos, video, onVideo, truth, onTruth, again, onFile }: ChoicesProps) {
  const input = useRef<HTMLInputElement>(null);
  const named = videos.map(({ id, name }) => ({ value: String(id), name }));
  return (
    <div class={css.choices}>
      <p class={css.note}>
        A zip in DAVIS, YouTube-VOS, YouTube-VIS, COCO, MOTS, CVAT or VOC layout, a JSON, XML, text or npz
        file. All of its masks are brought in, or none.
      </p>
      <SelectField
        label="For"
        testid="import-video"
        value={video}
        options={[{ value: "", name: "the videos whose names are in the file" }, ...named]}
        onChange={onVideo}
      />
      <SelectField
        label="As"
        testid="import-as"
        value={truth ? "truth" : "masks"}
        options={[
          { value: "masks", name: "masks to work on: a new round that can be undone" },
          {
            value: "truth",
            name: "ground truth, in place of what is there",
            disabled: !may(project.role, "import_truth"),
          },
        ]}
        onChange={(value) => onTruth(value === "truth")}
      />
      <input
        ref={input}
        type="file"
        hidden
        accept={ACCEPT}
        data-testid="import-file"
        onChange={(event) => {
          const field = event.currentTarget;
          const file = field.files?.[0];
          field.value = ""; // so that the same file can be picked again
          if (file) onFile(file);
        }}
      />
      <div class={css.foot}>
        <Button tone="accent" testid="import-pick" onClick={() => input.current?.click()}>
          {again ? "Choose another file" : "Choose a file"}
        </Button>
      </div>
    </div>
  );
}

function Working({
  sent,
  now,
  onCancel,
}: {
  sent: number | null;
  now: MaskImport | null;
  onCancel: () => void;
}) {
  const share = now ? (now.progress_total ? now.progress_done / now.progress_total : null) : sent;
  const text = now
    ? now.state === "queued"
      ? "Waiting for its turn"
      : "Reading the masks"
    : "Sending the file";
  return (
    <div class={css.choices}>
      <span data-testid="import-state">{text}</span>
      <Progress value={share} label={text} testid="import-progress" />
      <div class={css.foot}>
        <Button testid="import-cancel" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

function Result({ now }: { now: MaskImport }) {
  return (
    <div class={css.choices} data-testid="import-result" role="status">
      <ul class={css.result}>
        {now.result.map((row) => (
          <li key={row.video}>
            <a href={`/videos/${row.video}`}>{row.name}</a> {plural(row.frames, "frame")},{" "}
            {plural(row.objects, "object")}
            {row.round === null && " as ground truth"}
          </li>
        ))}
      </ul>
      {now.note && <p class={css.note}>{now.note}</p>}
    </div>
  );
}
