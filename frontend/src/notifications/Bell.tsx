/** The bell in the bar: how many notifications were not read, and a list of the newest. */
import { Bell as BellIcon, Settings2 } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import type { Notification } from "../api/types";
import { ago } from "../format";
import { Button } from "../parts/Button";
import { IconButton } from "../parts/IconButton";
import { toastError } from "../parts/Toast";
import { go } from "../route";
import css from "./Bell.module.css";
import { NotificationSettings } from "./NotificationSettings";

const EVERY_MS = 60_000;
const FIRST = 15;

export function Bell() {
  const [open, setOpen] = useState(false);
  const [settings, setSettings] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const loaded = useLoaded("notifications", () =>
    call("GET", "/api/me/notifications", { query: { limit: FIRST } }),
  );
  const { reload } = loaded;
  const unread = loaded.value?.unread ?? 0;

  useEffect(() => {
    const ask = () => {
      if (!document.hidden) reload();
    };
    const timer = setInterval(ask, EVERY_MS);
    addEventListener("focus", ask);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", ask);
    };
  }, [reload]);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      box.current?.querySelector("button")?.focus();
    };
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("keydown", leave);
    };
  }, [open]);

  const read = async (ids: number[] | null) => {
    try {
      await call("POST", "/api/me/notifications/read", { body: { ids } });
      await reload();
    } catch (error) {
      toastError(error);
    }
  };
  const follow = (notification: Notification) => {
    setOpen(false);
    if (!notification.read) read([notification.id]);
    if (notification.link) go(notification.link);
  };

  return (
    <div ref={box} class={css.bell}>
      <button
        type="button"
        class={css.button}
        aria-expanded={open}
        aria-label={unread ? `Notifications, ${unread} not read` : "Notifications"}
        title="Notifications"
        data-testid="notifications"
        onClick={() => {
          if (!open) reload();
          setOpen(!open);
        }}
      >
        <BellIcon size={17} aria-hidden="true" />
        {unread > 0 && <i data-testid="notifications-unread">{unread > 99 ? "99+" : unread}</i>}
      </button>
      {open && (
        <section class={css.list} aria-label="Notifications" data-testid="notifications-list">
          <header>
            <b>Notifications</b>
            {unread > 0 && (
              <Button size="small" tone="quiet" testid="notifications-read" onClick={() => read(null)}>
                Mark all as read
              </Button>
            )}
            <IconButton
              icon={Settings2}
              size="small"
              label="What you are told of"
              testid="notifications-settings"
              onClick={() => {
                setOpen(false);
                setSettings(true);
              }}
            />
          </header>
          {loaded.value?.notifications.map((notification) => (
            <button
              key={notification.id}
              type="button"
              class={notification.read ? css.row : `${css.row} ${css.unread}`}
              data-testid={`notification-${notification.id}`}
              onClick={() => follow(notification)}
            >
              <span>{notification.text}</span>
              <small>{ago(notification.at)}</small>
            </button>
          ))}
          {loaded.value?.notifications.length === 0 && (
            <p data-testid="notifications-empty">
              Nothing yet. You are told here of jobs that are given to you, sent back or accepted.
            </p>
          )}
          {!loaded.value && !loaded.problem && <p data-testid="notifications-loading">Loading…</p>}
          {!loaded.value && loaded.problem && (
            <p data-testid="notifications-failed">{loaded.problem.message}</p>
          )}
        </section>
      )}
      {settings && <NotificationSettings onClose={() => setSettings(false)} />}
    </div>
  );
}
