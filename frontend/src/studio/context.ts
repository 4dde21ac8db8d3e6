/** Gives the parts of the studio the open video: `const { store, actions } = useStudio()`. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Opened } from "./open";

export const StudioContext = createContext<Opened | null>(null);

export function useStudio(): Opened {
  const opened = useContext(StudioContext);
  if (!opened) throw new Error("useStudio outside of the studio");
  return opened;
}
