import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { PROJECT } from "../../api/samples";
import { FakeServer, Refusal } from "../../api/testing";
import type { Delivery, Webhook } from "../../api/types";
import { click, get, hide, query, settled, show, type } from "../../parts/testing";
import { Deliveries, outcomeOf } from "./Deliveries";
import { Webhooks } from "./Webhooks";

const HOOK = {
  id: 5,
  url: "https://example.org/in",
  events: ["job.changed"],
  active: true,
  note: "",
  failures: 0,
  created_at: "2026-01-01T00:00:00Z",
  author: "Ada",
};
const DELIVERY: Delivery = {
  id: 9,
  message_id: "m",
  event: "ping",
  state: "failed",
  attempts: 3,
  next_at: "2026-01-01T00:00:00Z",
  created_at: "2026-01-01T00:00:00Z",
  status: 500,
  answer: "no",
  error: "the address answered 500",
  body: "{}",
};

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

describe("the webhooks of a project", () => {
  test("are made with a secret that is shown once, tested, and switched off", async () => {
    const server = new FakeServer({
      "GET /api/projects/3/webhooks": [],
      "GET /api/webhook-events": [
        { name: "job.changed", text: "A job moved." },
        { name: "ping", text: "A test." },
      ],
      "POST /api/projects/3/webhooks": new Refusal(400, { code: "bad_url", text: "Only https." }),
      "GET /api/webhooks/5/deliveries?limit=20": { deliveries: [], next: null },
      "PATCH /api/webhooks/5": { ...HOOK, active: false },
    });
    await show(<Webhooks project={PROJECT} />);
    await act(settled);
    await click("webhook-new");
    await act(settled);
    await type("webhook-url", " https://example.org/in ");
    expect(query("webhook-event-ping")).toBeNull(); // That is what the test button sends.
    await click("webhook-event-job-changed");
    const send = async () => {
      get("webhook-dialog").querySelector("form")?.requestSubmit();
      await act(settled);
      await act(settled);
    };
    await send();
    expect(get("webhook-problem").textContent).toBe("Only https.");
    server.answers["POST /api/projects/3/webhooks"] = { ...HOOK, secret: "s3cret" };
    server.answers["GET /api/projects/3/webhooks"] = [HOOK];
    await send();
    expect(server.body("POST /api/projects/3/webhooks")).toEqual({ url: HOOK.url, events: ["job.changed"] });
    get("webhook-made").dispatchEvent(new PointerEvent("pointerdown")); // on the backdrop
    get("webhook-made").dispatchEvent(new Event("cancel", { cancelable: true }));
    await act(settled);
    expect(get("webhook-secret").textContent).toBe("s3cret");
    await click("webhook-secret-done");
    expect(document.body.textContent).not.toContain("s3cret");

    await click("webhook-log-5");
    await act(settled);
    expect(query("deliveries-none")).not.toBeNull();
    server.answers["POST /api/webhooks/5/test"] = DELIVERY;
    server.answers["GET /api/webhooks/5/deliveries?limit=20"] = { deliveries: [DELIVERY], next: null };
    await click("webhook-test");
    expect(get("delivery-9").textContent).toContain("given up after 3 tries: the address answered 500");
    await click("deliveries-close");
    await click("webhook-turn-5");
    expect(server.body("PATCH /api/webhooks/5")).toEqual({ active: false });
  });

  test("show older deliveries below the newer ones, also more than one request answers", async () => {
    const line = "GET /api/webhooks/5/deliveries?limit=";
    const made = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...DELIVERY, id: from - index }));
    const server = new FakeServer({ [`${line}20`]: { deliveries: made(300, 20), next: 281 } });
    for (let count = 40; count <= 200; count += 20)
      server.answers[line + count] = { deliveries: made(300, count), next: 301 - count };
    server.answers[`${line}20&before=101`] = { deliveries: made(100, 20), next: null };
    await show(<Deliveries webhook={HOOK as Webhook} onClose={() => {}} />);
    await act(settled);
    for (let count = 40; count <= 220; count += 20) {
      get("deliveries-more").click();
      await Promise.resolve();
      expect(query("delivery-300")).not.toBeNull(); // What is shown stays while more is loaded.
      for (let turn = 0; turn < 3; turn += 1) await act(settled);
      expect(document.querySelectorAll("[data-testid^=delivery-][data-state]").length).toBe(count);
    }
    expect(query("deliveries-more")).toBeNull();
    expect(query("deliveries-problem")).toBeNull();
  });

  test.each<[Partial<Delivery>, string]>([
    [{ state: "sent", status: 204 }, "answered 204"],
    [{ state: "waiting", attempts: 0 }, "waits"],
    [{ state: "waiting", attempts: 1 }, "waits, 1 try so far"],
  ])("say of a delivery that is %o: %s", (part, text) => {
    expect(outcomeOf({ ...DELIVERY, ...part })).toBe(text);
  });
});
