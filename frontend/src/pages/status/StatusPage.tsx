/** How the site runs, for administrators: queues that can be paused, workers, running work with cancel, storage. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/http";
import { asProblem, useLoaded } from "../../api/load";
import type { RunningTask, SiteStatus } from "../../api/types";
import { ago, bytes, plural, remaining } from "../../format";
import { Button } from "../../parts/Button";
import { confirm } from "../../parts/Confirm";
import { FramedList } from "../../parts/FramedList";
import { Progress } from "../../parts/Progress";
import { toastError } from "../../parts/Toast";
import { PageHead } from "../PageHead";
import { ProblemState } from "../ProblemState";
import { Shell } from "../Shell";
import css from "./StatusPage.module.css";

type Worker = SiteStatus["workers"][number];

const EVERY = 3000; // milliseconds between two readings, while the page is visible

const KINDS: Record<string, string> = {
  round: "Round",
  import: "Import",
  mask_import: "Import of masks",
  export: "Export",
};
const QUEUES: Record<string, string> = { rounds: "Rounds", imports: "Imports", exports: "Exports" };

export function StatusPage() {
  const loaded = useLoaded("status", () => call("GET", "/api/status"));
  const { value: status, problem, reload, set } = loaded;

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, EVERY);
    return () => clearInterval(timer);
  }, [reload]);

  return (
    <Shell title="Status" crumbs={[{ name: "Status", href: "/status" }]}>
      <PageHead title="Status of the site">
        {status && problem && <p role="alert">{problem.message}</p>}
      </PageHead>
      {!status && problem && <ProblemState problem={problem} retry={reload} />}
      {!status && !problem && <div class={css.ghost} aria-busy="true" data-testid="state-loading" />}
      {status && (
        <>
          <Queues status={status} changed={set} />
          <Running tasks={status.running} reload={reload} />
          <Workers status={status} changed={set} />
          <Storage status={status} />
          <p class={css.versions} data-testid="status-versions">
            {Object.entries(status.versions)
              .map(([name, version]) => `${name} ${version}`)
              .join(" · ")}
            {status.team ? " · team mode" : " · one machine"}
          </p>
        </>
      )}
    </Shell>
  );
}

function Section({ title, note, children }: { title: string; note?: string; children: ComponentChildren }) {
  return (
    <section class={css.section}>
      <h2>
        {title} {note && <small class={css.note}>{note}</small>}
      </h2>
      {children}
    </section>
  );
}

function Queues({ status, changed }: { status: SiteStatus; changed: (status: SiteStatus) => void }) {
  const [busy, setBusy] = useState<string | null>(null);
  const toggle = async (queue: SiteStatus["queues"][number]) => {
    setBusy(queue.name);
    try {
      changed(
        await call("PATCH", "/api/status/queues/{queue}", {
          path: { queue: queue.name },
          body: { paused: !queue.paused },
        }),
      );
    } catch (error) {
      toastError(asProblem(error));
    } finally {
      setBusy(null);
    }
  };
  return (
    <Section title="Queues">
      <ul class={css.queues}>
        {status.queues.map((queue) => (
          <li
            key={queue.name}
            class={queue.paused ? css.paused : undefined}
            data-testid={`queue-${queue.name}`}
          >
            <b>{QUEUES[queue.name]}</b>
            <p>
              <strong>{queue.running}</strong> running, <strong>{queue.waiting}</strong> waiting
            </p>
            <small class={css.waits}>
              {queue.paused
                ? `Paused ${queue.paused_at ? ago(queue.paused_at) : ""}${queue.paused_by ? ` by ${queue.paused_by}` : ""}. Running work goes on.`
                : queue.waiting
                  ? `The oldest waits for ${remaining(queue.oldest_seconds)}.`
                  : "Nothing waits."}
            </small>
            <Button
              size="small"
              testid={`queue-${queue.name}-pause`}
              busy={busy === queue.name}
              onClick={() => toggle(queue)}
            >
              {queue.paused ? "Go on" : "Pause"}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Running({ tasks, reload }: { tasks: RunningTask[]; reload: () => Promise<void> }) {
  const cancel = async (task: RunningTask) => {
    const agreed = await confirm({
      title: `Stop this ${(KINDS[task.kind] ?? "task").toLowerCase()}?`,
      text: `${task.by} started it. What is done of a round stays; an import or export has to be started again.`,
      yes: "Stop it",
      tone: "bad",
    });
    if (!agreed) return;
    try {
      await call("POST", "/api/status/running/{task_kind}/{task_id}/cancel", {
        path: { task_kind: task.kind, task_id: task.id },
      });
      await reload();
    } catch (error) {
      toastError(asProblem(error));
    }
  };
  return (
    <Section title="Running now">
      {tasks.length === 0 && (
        <p class={css.none} data-testid="status-idle">
          Nothing runs. Rounds, imports and exports are listed here while a worker computes them.
        </p>
      )}
      {tasks.length > 0 && (
        <FramedList class={css.list} testid="status-running">
          {tasks.map((task) => (
            <li key={`${task.kind}-${task.id}`} data-testid={`task-${task.kind}-${task.id}`}>
              <span class={css.what}>
                <b>{KINDS[task.kind] ?? task.kind}</b>
                <small class={css.about}>
                  {task.project_name}
                  {task.video_name && ` · ${task.video_name}`} · {task.by}
                </small>
              </span>
              <Progress
                value={task.total ? task.done / task.total : null}
                label={`Progress of ${KINDS[task.kind] ?? task.kind} ${task.id}`}
                testid={`task-${task.kind}-${task.id}-progress`}
              />
              <small class={css.figure}>
                {task.total ? `${task.done} of ${task.total}` : plural(task.done, "frame")}
              </small>
              <Button
                size="small"
                tone="quiet"
                testid={`task-${task.kind}-${task.id}-cancel`}
                disabled={task.stopping}
                onClick={() => cancel(task)}
              >
                {task.stopping ? "Stopping" : "Stop"}
              </Button>
            </li>
          ))}
        </FramedList>
      )}
    </Section>
  );
}

/** What a worker does now, in a few words. */
export function workerText({ alive, silent_seconds, round, task, draining }: Worker): string {
  if (!alive) return `silent for ${remaining(silent_seconds)}`;
  const work = round ? `round ${round}` : task && "its task";
  if (draining) return work ? `ends ${work}, then stops` : "drained: it may be switched off";
  if (round) return `computes round ${round}`;
  return task ? "works" : "idle";
}

function Workers({ status, changed }: { status: SiteStatus; changed: (status: SiteStatus) => void }) {
  const [busy, setBusy] = useState<string | null>(null);
  const drain = async ({ name, draining }: Worker) => {
    setBusy(name);
    try {
      const path = { worker: name };
      changed(await call("PATCH", "/api/status/workers/{worker}", { path, body: { draining: !draining } }));
    } catch (error) {
      toastError(asProblem(error));
    } finally {
      setBusy(null);
    }
  };
  const free = status.disk_free / status.disk_total;
  return (
    <Section
      title="Workers"
      note={`${bytes(status.disk_free)} of ${bytes(status.disk_total)} are free on the data disk (${Math.round(100 * free)} %)`}
    >
      {status.workers.length === 0 ? (
        <p class={css.none} data-testid="status-no-workers">
          No worker has reported. Rounds, imports and exports wait until one is started.
        </p>
      ) : (
        <FramedList class={css.list} testid="status-workers">
          {status.workers.map((worker) => (
            <li key={worker.name} data-testid="status-worker">
              <i class={worker.alive ? css.alive : css.gone} aria-hidden="true" />
              <span class={css.what}>
                <b>{worker.device || "imports and exports"}</b>
                <small class={css.about}>{worker.name}</small>
              </span>
              <small class={css.figure} data-testid="status-worker-text">
                {workerText(worker)}
              </small>
              <small class={css.figure}>started {ago(worker.started_at)}</small>
              {worker.alive && (
                <Button
                  size="small"
                  tone="quiet"
                  testid={`worker-drain-${worker.name}`}
                  busy={busy === worker.name}
                  onClick={() => drain(worker)}
                >
                  {worker.draining ? "Take work again" : "Drain"}
                </Button>
              )}
            </li>
          ))}
        </FramedList>
      )}
    </Section>
  );
}

function Storage({ status }: { status: SiteStatus }) {
  const largest = Math.max(1, ...status.storage.map((row) => row.video_bytes + row.export_bytes));
  return (
    <Section title="Storage by project">
      {status.storage.length === 0 ? (
        <p class={css.none}>There is no project yet.</p>
      ) : (
        <FramedList class={css.list} testid="status-storage">
          {status.storage.map((row) => (
            <li key={row.project}>
              <span class={css.what}>
                <b>{row.name}</b>
                <small class={css.about}>
                  {plural(row.videos, "video")}, {plural(row.frames, "frame")}
                  {row.in_trash && ", in the trash"}
                </small>
              </span>
              <span class={css.bar} aria-hidden="true">
                <i style={{ width: `${(100 * row.video_bytes) / largest}%` }} />
                <i class={css.exports} style={{ width: `${(100 * row.export_bytes) / largest}%` }} />
              </span>
              <small class={css.figure}>{bytes(row.video_bytes)} videos</small>
              <small class={css.figure}>{bytes(row.export_bytes)} exports</small>
            </li>
          ))}
        </FramedList>
      )}
    </Section>
  );
}
