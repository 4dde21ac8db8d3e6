/** Commands of the job in hand: submit it, accept it or send it back, and go to the next one. */
import { ArrowRightToLine, BadgeCheck, SendHorizontal, Undo2 } from "lucide-preact";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { goToNextJob, type JobAction, moveJob } from "./jobs";

const group = "Jobs";

export function jobCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const may = (action: JobAction) => store.job.value?.moves.includes(action) ?? false;
  return [
    {
      id: "job.submit",
      name: "Submit the job",
      group,
      icon: SendHorizontal,
      keys: ["Ctrl+Enter"],
      enabled: () => may("submit"),
      perform: () => {
        store.dialog.value = "submit";
      },
    },
    {
      id: "job.accept",
      name: "Accept the job",
      group,
      icon: BadgeCheck,
      keys: ["Shift+A"],
      enabled: () => may("accept"),
      perform: () => {
        const job = store.job.peek();
        if (job) void moveJob(studio, job, "accept");
      },
    },
    {
      id: "job.reject",
      name: "Send the job back",
      group,
      icon: Undo2,
      keys: ["Shift+X"],
      enabled: () => may("reject"),
      perform: () => {
        store.dialog.value = "reject";
      },
    },
    {
      id: "job.next",
      name: "Next job of my work",
      group,
      icon: ArrowRightToLine,
      keys: ["Shift+N"],
      perform: () => void goToNextJob(studio),
    },
  ];
}
