/** The trash: what was deleted in one's projects, to restore or to remove for good. */
import { RotateCcw, Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import type { TrashItem } from "../api/types";
import { ago, plural } from "../format";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { EmptyState } from "../parts/EmptyState";
import { FramedList } from "../parts/FramedList";
import { IconButton } from "../parts/IconButton";
import { toast, toastError } from "../parts/Toast";
import { PageHead } from "./PageHead";
import { ProblemState } from "./ProblemState";
import { Shell } from "./Shell";
import css from "./TrashPage.module.css";

export function TrashPage() {
  const loaded = useLoaded("trash", () => call("GET", "/api/trash", {}));
  return (
    <Shell title="Trash" crumbs={[{ name: "Trash", href: "/trash" }]}>
      {!loaded.value && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!loaded.value && !loaded.problem && (
        <div class={css.ghost} aria-busy="true" data-testid="state-loading" />
      )}
      {loaded.value && <Items items={loaded.value} onChanged={loaded.reload} />}
    </Shell>
  );
}

function Items({ items, onChanged }: { items: readonly TrashItem[]; onChanged: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const work = async (what: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await what();
      toast({ text: done });
    } catch (error) {
      toastError(error);
    }
    await onChanged();
    setBusy(false);
  };
  const empty = async () => {
    const agreed = await confirm({
      title: "Empty the trash?",
      text: `${plural(items.length, "thing")} with all frames, rounds and masks are removed for everybody. This cannot be undone.`,
      yes: "Empty the trash",
    });
    if (agreed)
      await work(() => call("POST", "/api/trash/empty", { body: {} }), "The trash is being emptied.");
  };
  const remove = async ({ kind, id, name }: TrashItem) => {
    const agreed = await confirm({
      title: `Remove ${name} for good?`,
      text: "This cannot be undone.",
      yes: "Remove for good",
    });
    const path = { kind, trash_id: id };
    if (agreed)
      await work(() => call("DELETE", "/api/trash/{kind}/{trash_id}", { path }), `${name} is removed.`);
  };
  return (
    <>
      <PageHead title="Trash">
        <p>What is deleted stays here for 30 days.</p>
        {items.length > 0 && (
          <Button tone="bad" icon={Trash2} testid="trash-empty" busy={busy} onClick={empty}>
            Empty the trash
          </Button>
        )}
      </PageHead>
      {items.length === 0 ? (
        <EmptyState icon={Trash2} title="The trash is empty" testid="trash-none">
          Deleted projects, videos and exports come here and can be restored for 30 days.
        </EmptyState>
      ) : (
        <FramedList testid="trash">
          {items.map((item) => (
            <li key={`${item.kind}-${item.id}`} class={css.row} data-testid={`trash-${item.kind}-${item.id}`}>
              <span class={css.name}>
                <b>{item.name}</b>
                <small>
                  {item.kind}
                  {item.kind !== "project" && ` of ${item.project_name}`} · deleted {ago(item.deleted_at)}
                  {item.deleted_by ? ` by ${item.deleted_by}` : ""}
                </small>
              </span>
              <Button
                size="small"
                icon={RotateCcw}
                testid={`trash-restore-${item.kind}-${item.id}`}
                disabled={busy}
                onClick={() =>
                  work(
                    () =>
                      call("POST", "/api/trash/{kind}/{trash_id}/restore", {
                        path: { kind: item.kind, trash_id: item.id },
                      }),
                    `${item.name} is back.`,
                  )
                }
              >
                Restore
              </Button>
              {item.removed_at && (
                <IconButton
                  icon={Trash2}
                  label={`Remove ${item.name} for good`}
                  size="small"
                  tone="bad"
                  testid={`trash-remove-${item.kind}-${item.id}`}
                  disabled={busy}
                  onClick={() => remove(item)}
                />
              )}
            </li>
          ))}
        </FramedList>
      )}
    </>
  );
}
