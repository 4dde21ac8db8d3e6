/** A command as a button: its name, icon, key and state come from the command. */

import { Button, type ButtonProps } from "../parts/Button";
import { IconButton, type IconButtonProps } from "../parts/IconButton";
import { commandOf, keyOf } from "../studio/command";
import { useStudio } from "../studio/context";

/** "tool.scribble" -> "tool-scribble", as docs/testids.md lists them. */
export const testidOf = (id: string): string => id.replace(".", "-");

type IconProps = Pick<IconButtonProps, "size" | "corner"> & { id: string; label?: string };

export function CommandIcon({ id, label, ...rest }: IconProps) {
  const { commands } = useStudio();
  const command = commandOf(commands, id);
  const pressed = command.pressed ? { pressed: command.pressed() } : {};
  const key = keyOf(commands, id);
  return (
    <IconButton
      icon={command.icon}
      label={label ?? command.name}
      testid={testidOf(id)}
      disabled={!command.enabled()}
      onClick={command.perform}
      {...(key === undefined ? {} : { hotkey: key })}
      {...pressed}
      {...rest}
    />
  );
}

type TextProps = Pick<ButtonProps, "tone" | "size" | "title"> & { id: string; label?: string };

export function CommandButton({ id, label, ...rest }: TextProps) {
  const { commands } = useStudio();
  const command = commandOf(commands, id);
  const key = keyOf(commands, id);
  return (
    <Button
      testid={testidOf(id)}
      disabled={!command.enabled()}
      onClick={command.perform}
      {...(key === undefined ? {} : { hotkey: key })}
      {...rest}
    >
      {label ?? command.name}
    </Button>
  );
}
