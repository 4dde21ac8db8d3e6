/** While it is shown, files can be dropped anywhere on the page. */
import { Upload } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { toast } from "../parts/Toast";
import css from "./DropZone.module.css";

export interface DropZoneProps {
  enabled: boolean;
  onFiles: (files: Iterable<File>) => void;
  children: ComponentChildren;
}

function hasFiles(event: DragEvent): boolean {
  return Boolean(event.dataTransfer?.types.includes("Files"));
}

/** Returns the dropped files without folders. Later a folder cannot be told from a file that cannot be read. */
function droppedFiles(transfer: DataTransfer): File[] {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const isFolder = (item: DataTransferItem) => Boolean(item.webkitGetAsEntry?.()?.isDirectory);
  if (items.some(isFolder))
    toast({ text: "A folder cannot be taken as it is: make a zip of it and drop that.", tone: "bad" });
  return items.filter((item) => !isFolder(item)).flatMap((item) => item.getAsFile() ?? []);
}

export function DropZone({ enabled, onFiles, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;

  useEffect(() => {
    if (!enabled) return;
    let depth = 0; // dragenter and dragleave are sent for every element under the pointer
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const move = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault(); // allows the drop
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault(); // otherwise the browser would open the file
      const files = event.dataTransfer ? droppedFiles(event.dataTransfer) : [];
      if (files.length) take.current(files);
    };
    addEventListener("dragenter", enter);
    addEventListener("dragover", move);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragover", move);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [enabled]);

  return (
    <>
      {children}
      {over && (
        <div class={css.veil} data-testid="drop-zone">
          <div class={css.frame}>
            <Upload size={30} aria-hidden="true" />
            <b>Drop to add to this project</b>
            <span>Videos, a zip of images, or a zip in DAVIS layout</span>
          </div>
        </div>
      )}
    </>
  );
}
