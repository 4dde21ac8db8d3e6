/** Gives components the open video: `const { store, commands } = useStudio()`. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Studio } from "./studio";

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const opened = useContext(StudioContext);
  if (!opened) throw new Error("useStudio outside of the studio");
  return opened;
}
