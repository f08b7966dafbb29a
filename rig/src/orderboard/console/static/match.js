// Why did it not match? An event against every rule and filter policy, with the path that decided.

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
  "an order that is done": sample("orderboard.order.completed.v1", "orderboard.worker", { priority: "express" }),
  "a rejection": sample("orderboard.order.rejected.v1", "orderboard.worker", { reason: "sold_out" }),
};

export class Match {
  constructor(place) {
    this.event = el("textarea", { id: "event", rows: 12, spellcheck: "false" });
    this.answer = el("div", { class: "answers", role: "status" });
    place.append(
      el("div", { class: "row" }, el("span", {}, "Take"), ...Object.entries(SAMPLES).map(([name, event]) =>
        el("button", { type: "button", class: "chip", onclick: () => this.explain(JSON.stringify(event, null, 2)) }, name))),
      el("div", { class: "match" }, el("div", {}, el("label", { for: "event" }, "Event: EventBridge's, or the CloudEvents document in it"), this.event,
        el("button", { type: "button", class: "main", onclick: () => this.explain(this.event.value) }, "Explain")), this.answer));
  }

  async explain(text) {
    this.event.value = text;
    try {
      const found = await post("/api/match", { event: text });
      this.answer.replaceChildren(el("h3", {}, "Rules of the bus"), ...found.rules.map((each) => this.#one(each)),
        el("h3", {}, "Filter policies of the orders topic"), ...found.policies.map((each) => this.#one(each)));
    } catch (error) {
      this.answer.replaceChildren(el("p", { class: "bad-text" }, error.message));
    }
  }

  #one(found) {
    const backend = found.backend === undefined ? "" : found.backend === null ? ` (the backend did not say: ${found.trouble})`
      : found.backend === found.matched ? " · the backend agrees" : " · THE BACKEND SAYS OTHERWISE";
    const rows = found.checks.map((check) => el("tr", { class: check.matched ? "good" : "bad" },
      el("td", {}, check.matched ? "✓" : "✗"), el("td", {}, check.path), el("td", {}, check.found ?? "absent"), el("td", {}, check.wanted)));
    const table = el("table", { class: "checks" }, el("thead", {}, el("tr", {}, ...["", "path", "found", "wanted"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows));
    return el("details", { class: found.matched ? "match-yes" : "match-no", open: found.checks.length > 0 },
      el("summary", {}, el("strong", {}, found.name), el("span", { class: `tag ${found.matched ? "completed" : "plain"}` }, found.matched ? "match" : "no match")),
      el("p", { class: "note" }, `${found.why}${backend}`), rows.length ? table : null);
  }
}
