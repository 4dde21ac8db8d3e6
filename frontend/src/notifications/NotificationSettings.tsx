/** Where a person switches each kind of notification on or off, on the page and by mail. */
import { useState } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import type { NotificationKind } from "../api/types";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { toastError } from "../parts/Toast";
import css from "./NotificationSettings.module.css";

/** The switches in a dialog. */
export function NotificationSettings({ onClose }: { onClose: () => void }) {
  return (
    <Dialog
      title="What you are told of"
      testid="notification-settings"
      onClose={onClose}
      footer={
        <Button testid="notification-settings-done" tone="accent" onClick={onClose}>
          Done
        </Button>
      }
    >
      <NotificationSwitches />
    </Dialog>
  );
}

export function NotificationSwitches() {
  const loaded = useLoaded("notification settings", () => call("GET", "/api/me/notification-settings"));
  const [busy, setBusy] = useState<string | null>(null);
  const settings = loaded.value;

  const change = async (kind: NotificationKind, part: "on_page" | "by_mail", on: boolean) => {
    setBusy(`${kind.kind} ${part}`);
    const changed = { kind: kind.kind, on_page: kind.on_page, by_mail: kind.by_mail, [part]: on };
    try {
      loaded.set(await call("PATCH", "/api/me/notification-settings", { body: { kinds: [changed] } }));
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(null);
    }
  };
  const parts = settings?.mail ? (["on_page", "by_mail"] as const) : (["on_page"] as const);

  return (
    <>
      {!settings && <p class={css.note}>{loaded.problem ? loaded.problem.message : "Loading…"}</p>}
      {settings && (
        <table class={css.table}>
          <thead>
            <tr>
              <th scope="col">
                <span class={css.hidden}>Kind</span>
              </th>
              <th scope="col">On the page</th>
              {settings.mail && <th scope="col">By mail</th>}
            </tr>
          </thead>
          <tbody>
            {settings.kinds.map((kind) => (
              <tr key={kind.kind}>
                <th scope="row">{kind.title}</th>
                {parts.map((part) => (
                  <td key={part}>
                    <label class={css.box}>
                      <input
                        type="checkbox"
                        aria-label={`${kind.title}: ${part === "on_page" ? "on the page" : "by mail"}`}
                        data-testid={`notify-${kind.kind}-${part}`}
                        checked={kind[part]}
                        disabled={busy === `${kind.kind} ${part}`}
                        onChange={(event) => change(kind, part, event.currentTarget.checked)}
                      />
                    </label>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {settings && !settings.mail && (
        <p class={css.note}>Mail is not set up on this server, or your account has no mail address.</p>
      )}
    </>
  );
}
