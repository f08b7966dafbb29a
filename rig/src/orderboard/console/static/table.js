// The diagram's numbers as a table, for small screens.

import { age, apiState, count, el, held, notifierState, rate, svg } from "./dom.js";

const SPARK = { width: 52, height: 20 };

export class QueueTable {
  constructor(table, onQueue) {
    this.table = table;
    this.onQueue = onQueue;
  }

  update(snapshot, history) {
    const head = el("tr", {}, ...["queue", "waiting", "in flight", "oldest", "DLQ", "5 min"].map((name) => el("th", { scope: "col" }, name)));
    const rows = Object.entries(snapshot.queues).map(([key, queue]) => this.#row(key, queue, history));
    const workers = snapshot.workers?.map((each) => `${each.name} ${each.state}`).join(", ") ?? "unknown";
    const lines = [
      ["order-api", [apiState(snapshot), rate(snapshot.rates.accepted)].filter(Boolean).join(", ")], ["workers", workers || "none"],
      ["recorded", [count(snapshot.orders), rate(snapshot.rates.recorded)].filter(Boolean).join(", ")],
      ["notifier", notifierState(snapshot.mapping)],
    ];
    const foot = lines.map(([name, text]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { colspan: 5 }, text)));
    this.table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows, ...foot));
  }

  #row(key, queue, history) {
    const empty = held(queue) === 0;
    const delayed = queue.delayed ? el("small", {}, ` +${count(queue.delayed)} delayed`) : null;
    return el("tr", { class: queue.dlq || (queue.dlq_name === null && queue.waiting) ? "has-dead" : "" },
      el("th", { scope: "row" }, el("button", { type: "button", class: "quiet", onclick: () => this.onQueue(key) }, key)),
      el("td", { class: queue.dlq_name === null ? "dlq" : "" }, count(queue.waiting), delayed), el("td", {}, count(queue.in_flight)),
      el("td", {}, empty ? "–" : age(queue.oldest_s)), el("td", { class: "dlq" }, queue.dlq_name === null ? "–" : count(queue.dlq)),
      el("td", {}, svg("svg", { viewBox: "0 0 52 22", class: "mini", "aria-hidden": "true" }, svg("path", { d: history.paths(key, SPARK).line, class: "spark-line" }))));
  }
}
