/** What was sent to a webhook and what it answered; sends a test, and sends a message again. */
import { Send } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import type { Delivery, Webhook } from "../../api/types";
import { ago, plural } from "../../format";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { FramedList } from "../../parts/FramedList";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import css from "./Webhooks.module.css";

const PART = 20;
const MOST_AT_ONCE = 200; // that one request answers
/** The pause between two looks while something is on its way. */
const EVERY_MS = 2000;

interface DeliveryList {
  deliveries: Delivery[];
  /** The id before which older ones are; null if there are none. */
  next: number | null;
}

/** Loads the newest `least` deliveries of a webhook, or all if it has fewer. */
async function load(webhook: number, least: number): Promise<DeliveryList> {
  const list: DeliveryList = { deliveries: [], next: null };
  do {
    const limit = Math.min(MOST_AT_ONCE, least - list.deliveries.length);
    const part = await call("GET", "/api/webhooks/{webhook_id}/deliveries", {
      path: { webhook_id: webhook },
      query: { limit, ...(list.next === null ? {} : { before: list.next }) },
    });
    list.deliveries.push(...part.deliveries);
    list.next = part.next;
  } while (list.next !== null && list.deliveries.length < least);
  return list;
}

export function Deliveries({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const path = { webhook_id: webhook.id };
  const count = useRef(PART);
  const loaded = useLoaded(`deliveries ${webhook.id}`, () => load(webhook.id, count.current));
  const { value, reload } = loaded;
  const { busy, problem, attempt } = useAttempt();
  const moving = Boolean(value?.deliveries.some(({ state }) => state === "waiting" || state === "sending"));
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(reload, EVERY_MS);
    return () => clearInterval(timer);
  }, [moving, reload]);
  const send = (act: () => Promise<unknown>) =>
    attempt(async () => {
      await act();
      await reload();
    });
  const more = () =>
    attempt(async () => {
      count.current = (value?.deliveries.length ?? 0) + PART;
      await reload();
    });
  const text = problem || loaded.problem?.message;
  return (
    <Dialog
      title={`Sent to ${webhook.url}`}
      testid="deliveries"
      onClose={onClose}
      footer={
        <Button
          icon={Send}
          testid="webhook-test"
          busy={busy}
          onClick={() => send(() => call("POST", "/api/webhooks/{webhook_id}/test", { path }))}
        >
          Send a test
        </Button>
      }
    >
      <div class={form.form}>
        <FormProblem testid="deliveries-problem" text={text} />
        {!value && !loaded.problem && <p class={form.note}>Loading…</p>}
        {value?.deliveries.length === 0 && (
          <p class={form.note} data-testid="deliveries-none">
            Nothing was sent yet. A test shows at once whether the address answers.
          </p>
        )}
        {Boolean(value?.deliveries.length) && (
          <FramedList testid="deliveries-list">
            {value?.deliveries.map((delivery) => (
              <Row
                key={delivery.id}
                delivery={delivery}
                busy={busy}
                onAgain={() =>
                  send(() =>
                    call("POST", "/api/webhook-deliveries/{delivery_id}/redeliver", {
                      path: { delivery_id: delivery.id },
                    }),
                  )
                }
              />
            ))}
          </FramedList>
        )}
        {value?.next != null && (
          <div>
            <Button size="small" testid="deliveries-more" busy={busy} onClick={more}>
              Show older ones
            </Button>
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** What became of a delivery, in a few words. */
export function outcomeOf({ state, status, attempts, error }: Delivery): string {
  if (state === "sent") return `answered ${status}`;
  const tries = attempts ? `, ${plural(attempts, "try", "tries")} so far` : "";
  if (state === "failed")
    return [`given up after ${plural(attempts, "try", "tries")}`, error].filter(Boolean).join(": ");
  return (state === "sending" ? "being sent" : "waits") + tries;
}

interface RowProps {
  delivery: Delivery;
  busy: boolean;
  onAgain: () => void;
}

function Row({ delivery, busy, onAgain }: RowProps) {
  const tone = { sent: css.ok, failed: css.bad, waiting: "", sending: "" }[delivery.state];
  return (
    <li data-testid={`delivery-${delivery.id}`} data-state={delivery.state}>
      <details class={css.delivery}>
        <summary>
          {delivery.event} <small>{ago(delivery.created_at)}</small>{" "}
          <span class={tone}>{outcomeOf(delivery)}</span>
        </summary>
        <pre class={css.body}>{delivery.body}</pre>
        {delivery.answer && <pre class={css.body}>{delivery.answer}</pre>}
      </details>
      <Button
        size="small"
        tone="quiet"
        testid={`delivery-again-${delivery.id}`}
        busy={busy}
        onClick={onAgain}
      >
        Send again
      </Button>
    </li>
  );
}
