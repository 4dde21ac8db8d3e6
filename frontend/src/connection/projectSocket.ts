/** The socket of a project's list: the server tells which videos have changed, and the page sends nothing. */
import type { VideosChanged } from "../protocol";
import { delay } from "./backoff";

/** Close codes after which another try cannot help: signed out, not allowed any more, no such project. */
const FINAL = new Set([4401, 4403, 4404]);

export interface ProjectEvents {
  changed(message: VideosChanged): void;
  /** Called with true once changes are told, and with false when the connection is lost. */
  live(live: boolean): void;
}

/** Follows a project until the function that is returned is called. A lost connection is opened again. */
export function followProject(project: number, events: ProjectEvents): () => void {
  let socket: WebSocket | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let ended = false;

  const drop = () => {
    const before = socket;
    socket = null;
    if (!before) return;
    before.onmessage = before.onclose = null;
    before.close();
  };
  const wait = () => {
    events.live(false);
    clearTimeout(retry);
    retry = setTimeout(connect, delay(attempt++));
  };
  const connect = () => {
    drop();
    const opened = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/projects/${project}`);
    socket = opened;
    opened.onmessage = (event) => {
      attempt = 0;
      events.live(true);
      events.changed(JSON.parse(event.data) as VideosChanged);
    };
    opened.onclose = (event) => {
      socket = null;
      if (FINAL.has(event.code)) events.live(false);
      else wait();
    };
  };
  const online = () => {
    if (ended || socket?.readyState === WebSocket.OPEN) return;
    attempt = 0;
    clearTimeout(retry);
    connect();
  };
  // A browser that goes offline closes no socket by itself, so what it shows would stay old without a sign.
  const offline = () => {
    drop();
    wait();
  };
  addEventListener("online", online);
  addEventListener("offline", offline);
  connect();
  return () => {
    ended = true;
    removeEventListener("online", online);
    removeEventListener("offline", offline);
    clearTimeout(retry);
    drop();
  };
}
