/** Links to a frame and an object of the video: /videos/5#frame=12&object=2. */
import { toast } from "../parts/Toast";
import type { Studio } from "../studio/studio";
import { seek } from "./playback";

export interface Target {
  frame: number | null;
  object: number | null;
}

export function readTarget(hash: string): Target {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name: string) => {
    const text = values.get(name);
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
  };
  return { frame: number("frame"), object: number("object") };
}

export function targetOf({ store }: Studio): string {
  const { selected, alive } = store;
  const named = alive.peek().some(({ number }) => number === selected.peek());
  return `#frame=${store.frame.peek()}${named ? `&object=${selected.peek()}` : ""}`;
}

export async function copyLink(studio: Studio): Promise<void> {
  const link = `${location.origin}${location.pathname}${targetOf(studio)}`;
  try {
    await navigator.clipboard.writeText(link);
    toast({ text: `Copied the link to frame ${studio.store.frame.peek()}.` });
  } catch {
    // Pages that are not loaded over https may not write to the clipboard. The address bar has the link then.
    history.replaceState(null, "", link);
    toast({ text: "The address of the page is now the link: copy it there.", tone: "info" });
  }
}

/** Goes to the frame and object of the page's address once the video is open, and when the address changes. */
export function followLinks(studio: Studio): () => void {
  const { store } = studio;
  const go = () => {
    const { frame, object } = readTarget(location.hash);
    if (frame !== null) seek(studio, frame);
    if (object !== null && store.objects.peek().some(({ number }) => number === object))
      store.selected.value = object;
  };
  const end = store.video.subscribe((video) => {
    if (!video) return;
    go();
    queueMicrotask(() => end());
  });
  addEventListener("hashchange", go);
  return () => {
    end();
    removeEventListener("hashchange", go);
  };
}
