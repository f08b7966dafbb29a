// The same numbers as the diagram's, in rows: for small screens.

import { age, count, el, rate, svg } from "./dom.js";

const SPARK = { width: 52, height: 20 };

export class Glance {
  constructor(table, onQueue) {
    this.table = table;
    this.onQueue = onQueue;
  }

  update(seen, history) {
    const head = el("tr", {}, ...["queue", "waiting", "in flight", "oldest", "DLQ", "5 min"].map((name) => el("th", { scope: "col" }, name)));
    const rows = Object.entries(seen.queues).map(([key, queue]) => this.#row(key, queue, history));
    const workers = seen.workers?.map((each) => `${each.name} ${each.state}`).join(", ") ?? "unknown";
    const api = seen.api_ms === null ? { true: "ready", false: "not ready" }[seen.api_ready] ?? "unknown" : `answers in ${seen.api_ms.toFixed(0)} ms`;
    const lines = [
      ["order-api", [api, rate(seen.rates.accepted)].filter(Boolean).join(", ")], ["workers", workers || "none"],
      ["recorded", [count(seen.orders), rate(seen.rates.recorded)].filter(Boolean).join(", ")],
      ["notifier", seen.mapping === null ? "unknown" : seen.mapping.startsWith("Disabl") ? "paused" : "takes alerts"],
    ];
    const foot = lines.map(([name, said]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { colspan: 5 }, said)));
    this.table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows, ...foot));
  }

  #row(key, queue, history) {
    const empty = queue.waiting + queue.in_flight + queue.delayed === 0;
    const delayed = queue.delayed ? el("small", {}, ` +${count(queue.delayed)} delayed`) : null;
    return el("tr", { class: queue.dlq || (queue.dlq_name === null && queue.waiting) ? "has-dead" : "" },
      el("th", { scope: "row" }, el("button", { type: "button", class: "quiet", onclick: () => this.onQueue(key) }, key)),
      el("td", { class: queue.dlq_name === null ? "dlq" : "" }, count(queue.waiting), delayed), el("td", {}, count(queue.in_flight)),
      el("td", {}, empty ? "–" : age(queue.oldest_s)), el("td", { class: "dlq" }, queue.dlq_name === null ? "–" : count(queue.dlq)),
      el("td", {}, svg("svg", { viewBox: "0 0 52 22", class: "mini", "aria-hidden": "true" }, svg("path", { d: history.paths(key, SPARK).line, class: "spark-line" }))));
  }
}
