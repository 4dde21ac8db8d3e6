/** The pins on the picture: markers of this frame, the open one with its comments, and the layer on which one is set. */
import { Check, MapPin, RotateCcw, X } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isTextField } from "../actions/keys";
import { replyToPin, resolvePin, setPin } from "../actions/pins";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { canvasPoint, fromUnit, toCanvas, toFrame, toUnit } from "../canvas/view";
import { ago } from "../format";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { SelectField, TextField } from "../parts/Field";
import { IconButton } from "../parts/IconButton";
import type { PinInfo } from "../protocol";
import type { PinDraft } from "../state/store";
import { useStudio } from "../studio/context";
import css from "./Pins.module.css";

const CARD = { width: 300, height: 300 }; // The room that an open pin needs, in CSS pixels.

export function Pins() {
  const { store } = useStudio();
  const frame = store.frame.value;
  const open = store.pin.value;
  const here = store.playing.value ? [] : store.pins.value.filter((pin) => pin.frame === frame);
  const draft = typeof open === "object" && open?.frame === frame ? open : null;
  const shown = here.find(({ id }) => id === open);
  return (
    <>
      {here.map((pin) => (
        <Marker key={pin.id} pin={pin} open={pin.id === open} />
      ))}
      {draft && <Spot at={draft} />}
      {store.pinning.value && <Catcher />}
      {draft && (
        <Card at={draft}>
          <Draft draft={draft} />
        </Card>
      )}
      {shown && (
        <Card at={shown}>
          <Thread key={shown.id} pin={shown} />
        </Card>
      )}
    </>
  );
}

/** Returns where a pin is on the stage. A pin of the whole frame is in its upper left corner. */
function usePlace({ x, y }: { x: number | null; y: number | null }) {
  const { stage } = useStudio();
  return toCanvas(stage.view.value, fromUnit([x ?? 0.02, y ?? 0.03], stage.frameSize));
}

function Marker({ pin, open }: { pin: PinInfo; open: boolean }) {
  const { store } = useStudio();
  const { x, y } = usePlace(pin);
  const state = pin.resolved_at === null ? "open" : "resolved";
  return (
    <button
      type="button"
      class={css.marker}
      data-state={state}
      data-testid={`pin-${pin.id}`}
      aria-label={`Pin of ${pin.author.name}, ${state}: ${pin.reason || pin.text}`}
      aria-expanded={open}
      style={{ left: `${x}px`, top: `${y}px` }}
      onClick={() => {
        store.pin.value = open ? null : pin.id;
      }}
    >
      {state === "open" ? <MapPin size={16} aria-hidden="true" /> : <Check size={14} aria-hidden="true" />}
    </button>
  );
}

function Spot({ at }: { at: PinDraft }) {
  const { x, y } = usePlace(at);
  return (
    <span class={css.marker} data-state="draft" style={{ left: `${x}px`, top: `${y}px` }} aria-hidden="true">
      <MapPin size={16} />
    </span>
  );
}

/**
 * Calls `leave` when Escape is pressed, unless a dialog, a menu or the text that an input method composes is to be left
 * first. In a field with text, Escape only leaves the field, so that no comment is lost by one key.
 */
function useEscape(leave: () => void): void {
  const latest = useRef(leave);
  latest.current = leave;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const at = event.target;
      if (event.key !== "Escape" || event.isComposing) return;
      if (at instanceof Element && at.closest("dialog, [role=menu]")) return;
      event.stopPropagation();
      if (isTextField(at) && at.value.trim()) at.blur();
      else latest.current();
    };
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, []);
}

/** Over the picture while a pin is to be set: takes the next click. */
function Catcher() {
  const { store, stage } = useStudio();
  useEscape(() => {
    store.pinning.value = false;
  });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a place on the picture is pointed at; Escape ends it.
    // biome-ignore lint/a11y/noStaticElementInteractions: as above.
    <div
      class={css.catcher}
      data-testid="pin-layer"
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const at = canvasPoint(event.clientX - box.left, event.clientY - box.top);
        const [x, y] = toUnit(toFrame(stage.view.peek(), at), stage.frameSize);
        store.pinning.value = false;
        store.pin.value = { frame: store.frame.peek(), x, y };
      }}
    >
      <span>Click on the place that the pin is about. Escape cancels.</span>
    </div>
  );
}

/** Beside the pin, and inside the stage. */
function Card({
  at,
  children,
}: {
  at: { x: number | null; y: number | null };
  children: preact.ComponentChildren;
}) {
  const { stage, store } = useStudio();
  const { x, y } = usePlace(at);
  useEscape(() => {
    store.pin.value = null;
  });
  const { width, height } = stage.stageSize;
  const left = x + 18 + CARD.width < width ? x + 18 : Math.max(8, x - 18 - CARD.width);
  const top = Math.max(8, Math.min(y - 16, height - CARD.height - 8));
  return (
    <section
      class={css.card}
      aria-label="Pin"
      data-testid="pin-card"
      style={{ left: `${left}px`, top: `${top}px`, width: `${CARD.width}px`, maxHeight: `${CARD.height}px` }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      {children}
    </section>
  );
}

function Draft({ draft }: { draft: PinDraft }) {
  const studio = useStudio();
  const { store } = studio;
  const project = store.video.value?.project ?? 0;
  const reasons = useLoaded(`pin reasons ${project}`, async () => {
    const { pin_reasons } = await call("GET", "/api/projects/{project_id}", {
      path: { project_id: project },
    });
    return pin_reasons;
  });
  const alive = store.alive.value;
  const [object, setObject] = useState(String((draft.object ?? store.selected.peek()) || ""));
  const [reason, setReason] = useState("");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const close = () => {
    store.pin.value = null;
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    const known = alive.some(({ number }) => String(number) === object);
    await setPin(studio, draft, { object: known ? Number(object) : null, reason, text: text.trim() });
    setBusy(false);
  };
  return (
    <form class={css.form} onSubmit={save}>
      <header>
        <b>{draft.object === undefined ? "New pin" : "What is wrong?"}</b>
        {typeof draft.last === "number" && <small>{`frames ${draft.frame}–${draft.last}`}</small>}
        <IconButton icon={X} label="Do not set it" size="small" testid="pin-cancel" onClick={close} />
      </header>
      {(reasons.value?.length ?? 0) > 0 && (
        <SelectField
          label="Reason"
          bare
          testid="pin-reason"
          value={reason}
          options={[
            { value: "", name: "Reason" },
            ...(reasons.value ?? []).map((name) => ({ value: name, name })),
          ]}
          onChange={setReason}
        />
      )}
      {alive.length > 0 && (
        <SelectField
          label="Object"
          bare
          testid="pin-object"
          value={object}
          options={[
            { value: "", name: "No object" },
            ...alive.map(({ number, name }) => ({ value: String(number), name })),
          ]}
          onChange={setObject}
        />
      )}
      <TextField
        label="Comment"
        bare
        placeholder="What is wrong here?"
        rows={3}
        testid="pin-text"
        value={text}
        maxLength={2000}
        onInput={setText}
        autofocus
      />
      <Button
        type="submit"
        tone="accent"
        size="small"
        testid="pin-save"
        busy={busy}
        disabled={!reason && !text.trim()}
      >
        Set pin
      </Button>
    </form>
  );
}

/** A pin with its comments, to answer, resolve or reopen it. */
function Thread({ pin }: { pin: PinInfo }) {
  const studio = useStudio();
  const { store } = studio;
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const object = store.alive.value.find(({ number }) => number === pin.object);
  const work = async (what: () => Promise<unknown>) => {
    setBusy(true);
    await what();
    setBusy(false);
  };
  const reply = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim())
      work(async () => {
        if (await replyToPin(studio, pin, text.trim())) setText("");
      });
  };
  const open = pin.resolved_at === null;
  return (
    <form class={css.form} onSubmit={reply}>
      <header>
        <b>{pin.reason || "Pin"}</b>
        {object && <small>{object.name}</small>}
        {pin.last !== null && <small>{`frames ${pin.frame}–${pin.last}`}</small>}
        <IconButton
          icon={X}
          label="Close"
          size="small"
          testid="pin-close"
          onClick={() => {
            store.pin.value = null;
          }}
        />
      </header>
      <ol class={css.comments}>
        <Comment author={pin.author} at={pin.created_at} text={pin.text} />
        {pin.replies.map((answer) => (
          <Comment key={answer.id} author={answer.author} at={answer.created_at} text={answer.text} />
        ))}
        {pin.resolved_by && (
          <li class={css.resolved}>
            <Check size={13} aria-hidden="true" /> resolved by {pin.resolved_by.name}
          </li>
        )}
      </ol>
      {store.canDraw.value && (
        <>
          <TextField
            label="Answer"
            bare
            placeholder="Answer"
            testid="pin-answer"
            value={text}
            maxLength={2000}
            onInput={setText}
          />
          <footer>
            <Button
              size="small"
              icon={open ? Check : RotateCcw}
              testid={open ? "pin-resolve" : "pin-reopen"}
              busy={busy}
              onClick={() => work(() => resolvePin(studio, pin, open))}
            >
              {open ? "Resolve" : "Reopen"}
            </Button>
            <Button type="submit" size="small" testid="pin-reply" disabled={!text.trim() || busy}>
              Answer
            </Button>
          </footer>
        </>
      )}
    </form>
  );
}

function Comment({ author, at, text }: { author: { id: number; name: string }; at: string; text: string }) {
  return (
    <li>
      <Avatar id={author.id} name={author.name} size={22} />
      <span>
        <small>
          {author.name}, {ago(at)}
        </small>
        {text}
      </span>
    </li>
  );
}
