// Explain: which rules and filter policies match an event, with a reason for each field.

import { el, post } from "./dom.js";

const sample = (type, source, data) => ({
  specversion: "1.0", id: "5f0e6a0b-0000-5000-8000-000000000001", source, type,
  subject: "9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11", time: "2026-01-01T08:00:00Z", datacontenttype: "application/json", data,
});
const placed = (total, priority) => sample("orderboard.order.placed.v1", "orderboard.order-api", {
  order_id: "9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11", customer_id: "ada", priority, lines: [{ sku: "tea", quantity: 1, unit_price_cents: total }],
  total_cents: total, currency: "EUR", digest: "0".repeat(64),
});
const SAMPLES = {
  "a small order": placed(320, "normal"),
  "an express order": placed(320, "express"),
  "a large order": placed(17800, "normal"),
  "a completed order": sample("orderboard.order.completed.v1", "orderboard.worker", { priority: "express" }),
  "a rejection": sample("orderboard.order.rejected.v1", "orderboard.worker", { reason: "sold_out" }),
};
const VERDICTS = { true: "match", false: "no match", null: "unknown" };

export class Explain {
  constructor(place) {
    this.event = el("textarea", { id: "event", rows: 5, spellcheck: "false" });
    this.answers = el("div", { class: "answers", role: "status" });
    place.append(
      el("div", { class: "row" }, el("span", {}, "Sample"), ...Object.entries(SAMPLES).map(([name, event]) =>
        el("button", { type: "button", class: "chip", onclick: () => this.explain(JSON.stringify(event, null, 2)) }, name))),
      el("label", { class: "above", for: "event" }, "EventBridge event, or the CloudEvents document in its detail"), this.event,
      el("button", { type: "button", class: "main", onclick: () => this.explain(this.event.value) }, "Explain"), this.answers);
  }

  async explain(text) {
    this.event.value = text;
    try {
      const { rules, policies } = await post("/api/explain", { event: text });
      this.answers.replaceChildren(el("h3", {}, "Rules of the bus"), ...rules.map((each) => this.#answer(each)),
        el("h3", {}, "Filter policies of the orders topic"), ...policies.map((each) => this.#answer(each)));
    } catch (error) {
      this.answers.replaceChildren(el("p", { class: "bad-text" }, error.message));
    }
  }

  #answer({ name, matched, why, reasons }) {
    const part = (name, text) => el("span", {}, el("b", {}, name), ` ${text}`);
    const rows = reasons.map(({ path, found, wanted, matched: fits }) => el("li", { class: fits ? "good" : "bad" },
      el("span", { class: "sign", "aria-label": fits ? "fits" : "does not fit" }, fits ? "✓" : "✗"), el("code", {}, path),
      part("found", found.map((value) => JSON.stringify(value)).join(" and ") || "absent"), part("wanted", wanted)));
    return el("details", { class: matched ? "match-yes" : "match-no", open: rows.length > 0 },
      el("summary", {}, el("strong", {}, name), el("span", { class: `tag ${matched ? "completed" : "plain"}` }, VERDICTS[matched])),
      el("p", { class: "note" }, why),
      rows.length ? el("ul", { class: "reasons" }, ...rows) : null);
  }
}
