/** The dialog in which people change the keys of commands: by pressing them, from a preset or from a file. */
import { Download, Plus, RotateCcw, Upload } from "lucide-preact";
import { useState } from "preact/hooks";
import { chord } from "../actions/keys";
import { changeMe } from "../api/session";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField } from "../parts/Field";
import { IconButton } from "../parts/IconButton";
import { Kbd } from "../parts/Kbd";
import { toastError } from "../parts/Toast";
import {
  conflictsOf,
  type KeyBindings,
  keyBindings,
  keyFile,
  PRESETS,
  readKeyFile,
  rebind,
} from "../state/keyBindings";
import type { Command } from "../studio/command";
import css from "./KeysDialog.module.css";

/** Uses the keys at once and keeps them with the account. */
async function use(bindings: KeyBindings): Promise<void> {
  const before = keyBindings.peek();
  keyBindings.value = bindings;
  try {
    await changeMe({ key_bindings: bindings as Record<string, string[]> });
  } catch (problem) {
    keyBindings.value = before;
    toastError(problem);
  }
}

/** The place that waits for a key: of which command, and which of its keys it replaces (null: none). */
interface Place {
  id: string;
  replaced: string | null;
}

export function KeysDialog({ commands, onClose }: { commands: readonly Command[]; onClose: () => void }) {
  const [place, setPlace] = useState<Place | null>(null);
  const [wanted, setWanted] = useState("");
  const take = (key: string) => {
    if (!place) return;
    const conflicts = conflictsOf(commands, place.id, key);
    if (conflicts.length > 0 && wanted !== key) {
      setWanted(key);
      return;
    }
    void use(rebind(keyBindings.peek(), commands, place.id, key, place.replaced));
    setPlace(null);
    setWanted("");
  };
  const leave = () => {
    setPlace(null);
    setWanted("");
  };
  const shared = place && wanted ? conflictsOf(commands, place.id, wanted) : [];
  return (
    <Dialog title="Change keys" size="wide" testid="keys-dialog" onClose={onClose} footer={<Ways />}>
      <p class={css.how} role="status" data-testid="keys-conflict" data-conflict={shared.length > 0}>
        {shared.length > 0 ? (
          <>
            <Kbd keys={wanted} /> already means “{shared.map(({ name }) => name).join("”, “")}”. Press it
            again to use it here instead, or another key.
          </>
        ) : (
          "Choose a key below, then press the new one. Backspace takes the key away, Escape leaves it."
        )}
      </p>
      <dl class={css.list}>
        {commands
          .filter(({ id }) => !/^object\.\d$/.test(id))
          .map((command) => (
            <div key={command.id}>
              <dt>{command.name}</dt>
              <dd>
                {command.keys.map((key) => (
                  <KeyField
                    key={key}
                    command={command}
                    value={key}
                    waits={place?.id === command.id && place.replaced === key}
                    begin={() => setPlace({ id: command.id, replaced: key })}
                    take={take}
                    leave={leave}
                  />
                ))}
                {place?.id === command.id && place.replaced === null ? (
                  <KeyField command={command} value="" waits begin={() => {}} take={take} leave={leave} />
                ) : (
                  <IconButton
                    icon={Plus}
                    size="small"
                    label={`Another key for ${command.name}`}
                    testid={`key-add-${command.id.replace(".", "-")}`}
                    onClick={() => setPlace({ id: command.id, replaced: null })}
                  />
                )}
              </dd>
            </div>
          ))}
      </dl>
    </Dialog>
  );
}

interface KeyFieldProps {
  command: Command;
  value: string;
  waits: boolean;
  begin: () => void;
  take: (key: string) => void;
  leave: () => void;
}

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "CapsLock"];

/** A key as a button; pressed, it waits for the new key. */
function KeyField({ command, value, waits, begin, take, leave }: KeyFieldProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (!waits || MODIFIERS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") leave();
    else if (event.key === "Backspace") {
      const rest = command.keys.filter((key) => key !== value);
      void use({ ...keyBindings.peek(), [command.id]: rest });
      leave();
    } else take(chord(event));
  };
  return (
    <button
      type="button"
      autofocus={waits}
      ref={(element) => {
        if (waits) element?.focus();
      }}
      class={css.key}
      aria-label={waits ? `Press the key for ${command.name}` : `${command.name}: ${value}. Change it`}
      data-waits={waits}
      data-testid={`key-${command.id.replace(".", "-")}`}
      onClick={begin}
      onBlur={() => waits && leave()}
      onKeyDown={onKeyDown}
    >
      {waits ? "press a key" : <Kbd keys={value} />}
    </button>
  );
}

/** Presets, export, import and the way back to the usual keys. */
function Ways() {
  const bindings = JSON.stringify(keyBindings.value);
  const preset = Object.entries(PRESETS).find(
    ([, known]) => JSON.stringify(known.bindings) === bindings,
  )?.[0];
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([keyFile(keyBindings.peek())], { type: "application/json" }));
    link.download = "maskwright-keys.json";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const read = async (file: File | undefined) => {
    if (!file) return;
    try {
      await use(readKeyFile(await file.text()));
    } catch (problem) {
      toastError(problem);
    }
  };
  return (
    <div class={css.ways}>
      <SelectField
        label="Preset"
        bare
        testid="keys-preset"
        value={preset ?? "own"}
        options={[
          ...Object.entries(PRESETS).map(([value, { title }]) => ({ value, name: `Keys of ${title}` })),
          { value: "own", name: "Your own keys", disabled: true },
        ]}
        onChange={(name) => void use(PRESETS[name as keyof typeof PRESETS].bindings)}
      />
      <Button testid="keys-export" icon={Download} onClick={save}>
        Export
      </Button>
      <label class={css.import}>
        <Upload size={16} aria-hidden="true" /> Import
        <input
          type="file"
          accept="application/json,.json"
          data-testid="keys-import"
          onChange={(event) => {
            void read(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </label>
      <Button testid="keys-reset" icon={RotateCcw} disabled={bindings === "{}"} onClick={() => void use({})}>
        Usual keys
      </Button>
    </div>
  );
}
