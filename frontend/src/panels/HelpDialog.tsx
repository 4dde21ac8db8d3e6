/** The help: keys, from the list of commands, and gestures. */

import { Keyboard } from "lucide-preact";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Kbd } from "../parts/Kbd";
import { type Command, commandOf, type Group } from "../studio/command";
import css from "./HelpDialog.module.css";

const BEFORE: Group[] = ["Drawing", "Objects"]; // This order makes both columns about equally long.
const AFTER: Group[] = ["Frames", "View", "Rounds", "Jobs", "Help"];

const GESTURES: [what: string, does: string][] = [
  ["Drag on the picture", "draw; with Space held, move it"],
  ["Right drag, Alt and drag", "draw on the background"],
  ["Wheel on the picture", "zoom at the cursor"],
  ["Two fingers on the picture", "move and zoom"],
  ["Drag on the timeline", "scrub"],
  ["Drag on the lanes, Shift and drag", "select a span of frames"],
  ["Hold Alt", "show the keys on the buttons"],
  ["Wheel on the timeline", "zoom; with Shift, move"],
  ["Double click on the timeline", "show all of it"],
  ["Tab and Shift+Tab on a control", "move the focus"],
];

/** Returns a row for each command with a key. Commands that differ only by a digit (objects 1 to 9) share a row. */
export function rowsOf(commands: readonly Command[], group: Group): { name: string; keys: string[] }[] {
  const rows: { name: string; keys: string[] }[] = [];
  for (const command of commands.filter((other) => other.group === group && other.keys.length)) {
    const place = command.id.match(/^object\.(\d)$/)?.[1];
    if (!place) rows.push({ name: command.name, keys: [...command.keys] });
    else if (place === "1") rows.push({ name: command.name.replace("1", "1 to 9"), keys: ["1", "…", "9"] });
  }
  return rows;
}

export function HelpDialog({ commands, onClose }: { commands: readonly Command[]; onClose: () => void }) {
  return (
    <Dialog
      title="Keys and gestures"
      size="wide"
      testid="help-dialog"
      onClose={onClose}
      footer={
        <Button testid="keys-open" icon={Keyboard} onClick={() => commandOf(commands, "keys.open").perform()}>
          Change keys
        </Button>
      }
    >
      <div class={css.columns}>
        <Sections groups={BEFORE} commands={commands} />
        <section class={css.group}>
          <h3>Mouse, pen and touch</h3>
          <dl>
            {GESTURES.map(([what, does]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd class={css.does}>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
        <Sections groups={AFTER} commands={commands} />
      </div>
    </Dialog>
  );
}

function Sections({ groups, commands }: { groups: readonly Group[]; commands: readonly Command[] }) {
  return (
    <>
      {groups.map((group) => (
        <Section key={group} title={group} rows={rowsOf(commands, group)} />
      ))}
    </>
  );
}

function Section({ title, rows }: { title: string; rows: { name: string; keys: string[] }[] }) {
  if (!rows.length) return null;
  return (
    <section class={css.group}>
      <h3>{title}</h3>
      <dl>
        {rows.map(({ name, keys }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {keys.map((key) => (
                <Kbd key={key} keys={key} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
