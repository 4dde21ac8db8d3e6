/** Copies texts that are shown only once, such as links and secrets. */
import { toast } from "./Toast";

/** Copies `text` to the clipboard and says so. `name` is what the person calls it: "link" or "secret". */
export async function copyText(text: string, name: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast({ text: `Copied: the ${name}.` });
  } catch {
    // Pages that are not loaded over https may not write to the clipboard. The text is selected by a click.
    toast({ text: `Select the ${name} and copy it.`, tone: "info" });
  }
}
