// The diagram: drawn once, then only its numbers, states and sparklines change.

import { age, count, el, rate, svg } from "./dom.js";

const QUEUES = {
  express: { x: 560, y: 16, title: "SQS express", role: "first, but not only" },
  work: { x: 560, y: 178, title: "SQS work", role: "swallows the burst" },
  alerts: { x: 330, y: 478, title: "SQS alerts", role: "what matters" },
  inbox: { x: 930, y: 478, title: "SQS inbox", role: "what was announced" },
  undelivered: { x: 20, y: 478, title: "undelivered", role: "what a topic or rule could not deliver" },
};
const W = 236;
const H = 138;
const MAX_SHOWN = 7;

const EDGES = {
  accepted: { d: "M112 130H166", label: [139, 118] },
  publish: { d: "M342 130H378" },
  express_in: { d: "M508 112 556 86", label: [512, 82] },
  work_in: { d: "M508 148 556 236", label: [506, 214] },
  express_done: { d: "M796 86 866 112", label: [832, 82] },
  work_done: { d: "M796 246 866 206", label: [836, 252] },
  recorded: { d: "M1048 268V308", label: [1072, 293] },
  fact: { d: "M254 180V386H326", text: "the fact", label: [262, 286], start: true },
  outcome: { d: "M896 268V386H802", text: "outcomes", label: [888, 344], end: true },
  rules: { d: "M448 418V474", text: "rules", label: [458, 451], start: true },
  invoke: { d: "M566 547H622" },
  announced: { d: "M782 547H926", label: [854, 535] },
};

export class Board {
  constructor(place, glance, onQueue) {
    this.parts = {};
    this.glance = glance;
    this.onQueue = onQueue;
    place.append(this.#draw());
  }

  update(seen, history) {
    for (const [key, queue] of Object.entries(seen.queues)) this.#queue(key, queue, history);
    this.#api(seen);
    this.#workers(seen.workers);
    this.parts.orders.textContent = seen.orders === null ? "count unknown" : `${count(seen.orders)} recorded`;
    const paused = (seen.mapping ?? "").startsWith("Disabl");
    this.parts.mapping.textContent = seen.mapping === null ? "state unknown" : paused ? "paused" : "takes alerts";
    this.parts.notifier.classList.toggle("off", paused);
    for (const key of Object.keys(EDGES)) this.#edge(key, seen.rates[key]);
    this.#table(seen, history);
  }

  #draw() {
    const drawn = svg(
      "svg",
      { viewBox: "0 0 1180 632", role: "group", "aria-label": "The flow of orders, with what is where now" },
      svg("defs", {}, svg("marker", { id: "tip", viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto" },
        svg("path", { d: "M0 0 10 5 0 10z", class: "tip" }))),
    );
    for (const [key, edge] of Object.entries(EDGES)) {
      const line = svg("path", { d: edge.d, class: "edge", "marker-end": "url(#tip)" });
      drawn.append(line);
      if (edge.label) {
        const anchor = edge.start ? "start" : edge.end ? "end" : "middle";
        const label = svg("text", { x: edge.label[0], y: edge.label[1], class: "rate", "text-anchor": anchor }, edge.text ?? "");
        drawn.append(label);
        this.parts[key] = { line, label: edge.text ? null : label };
      } else this.parts[key] = { line, label: null };
    }
    drawn.append(
      this.#card(20, 98, 92, 64, "card", "clients", "HTTP"),
      this.#card(170, 80, 172, 100, "service", "order-api", "the cashier", ["api"]),
      this.#card(382, 90, 126, 80, "card", "SNS orders", "hands out work"),
      this.#workersCard(870, 60, 296, 208),
      this.#card(930, 312, 236, 76, "card", "DynamoDB orders", null, ["orders"]),
      this.#card(330, 354, 468, 64, "card", "EventBridge bus", "facts, routed by rules, archived"),
      (this.parts.notifier = this.#card(626, 497, 156, 100, "service", "notifier", "Lambda", ["mapping"])),
      ...Object.keys(QUEUES).map((key) => this.#queueCard(key)),
    );
    return drawn;
  }

  #card(x, y, width, height, kind, name, role, values = []) {
    const lines = 1 + (role ? 1 : 0) + values.length;
    const middle = x + width / 2;
    let at = y + height / 2 - (lines - 1) * 11 + 5;
    const group = svg("g", {}, svg("rect", { x, y, width, height, rx: 12, class: kind }), svg("text", { x: middle, y: at, class: "name", "text-anchor": "middle" }, name));
    if (role) group.append(svg("text", { x: middle, y: (at += 21), class: "role", "text-anchor": "middle" }, role));
    for (const value of values) {
      this.parts[value] = svg("text", { x: middle, y: (at += 23), class: "value", "text-anchor": "middle" }, "…");
      group.append(this.parts[value]);
    }
    return group;
  }

  #queueCard(key) {
    const { x, y, title, role } = QUEUES[key];
    const text = (dx, dy, kind, anchor = "start", said = "") =>
      svg("text", { x: x + dx, y: y + dy, class: kind, "text-anchor": anchor }, said);
    const open = () => this.onQueue(key);
    const part = {
      line: svg("path", { class: "spark-line", transform: `translate(${x + 2} ${y + H - 44})` }),
      area: svg("path", { class: "spark-area", transform: `translate(${x + 2} ${y + H - 44})` }),
      waiting: svg("tspan", { class: "big" }),
      detail: text(W - 14, 26, "role", "end"),
      oldest: text(16, 86, "role"),
      badge: svg("rect", { x: x + W - 84, y: y + 42, width: 70, height: 26, rx: 13, class: "badge" }),
      dlq: text(W - 49, 60, "badge-text", "middle"),
    };
    part.group = svg(
      "g",
      {
        class: "queue-card", tabindex: 0, role: "button", "data-queue": key, onclick: open,
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); } },
      },
      svg("title", {}, `${title}: ${role}. Press to peek.`),
      svg("rect", { x, y, width: W, height: H, rx: 12, class: key === "undelivered" ? "queue dead" : "queue" }),
      part.area, part.line, text(16, 26, "name", "start", title),
      svg("text", { x: x + 16, y: y + 64 }, part.waiting, svg("tspan", { class: "role", dx: 7 }, "waiting")), part.detail, part.oldest,
      ...(key === "undelivered" ? [] : [part.badge, part.dlq]),
    );
    this.parts[key] = part;
    return part.group;
  }

  #queue(key, queue, history) {
    const part = this.parts[key];
    part.waiting.textContent = count(queue.waiting);
    const delayed = queue.delayed ? ` · ${count(queue.delayed)} delayed` : "";
    part.detail.textContent = `${count(queue.in_flight)} in flight${delayed}`;
    const empty = queue.waiting + queue.in_flight + queue.delayed === 0;
    part.oldest.textContent = empty ? "empty" : `oldest ${age(queue.oldest_s)}`;
    part.dlq.textContent = `DLQ ${count(queue.dlq)}`;
    part.group.setAttribute("aria-label", `${QUEUES[key].title}: ${count(queue.waiting)} waiting, ${count(queue.in_flight)} in flight${queue.dlq_name ? `, ${count(queue.dlq)} in its DLQ` : ""}. Look into it.`);
    part.group.classList.toggle("has-dead", key === "undelivered" ? queue.waiting > 0 : queue.dlq > 0);
    part.group.classList.toggle("busy", !empty);
    const { line, area } = history.paths(key, W - 4, 40);
    part.line.setAttribute("d", line);
    part.area.setAttribute("d", area);
  }

  #api(seen) {
    const ready = { true: "ready", false: "not ready" }[seen.api_ready] ?? "unknown";
    this.parts.api.textContent = seen.api_ms === null ? ready : `answers in ${seen.api_ms.toFixed(0)} ms`;
    this.parts.api.classList.toggle("alarm", seen.api_ready === false);
  }

  #workersCard(x, y, width, height) {
    this.parts.workers = svg("g", {});
    this.at = { x, y };
    return svg("g", {}, svg("rect", { x, y, width, height, rx: 12, class: "service" }),
      svg("text", { x: x + 18, y: y + 29, class: "name" }, "workers"),
      svg("text", { x: x + width - 16, y: y + 29, class: "role", "text-anchor": "end" }, "the baristas"), this.parts.workers);
  }

  #workers(workers) {
    const { x, y } = this.at;
    const line = (row, children) => svg("g", { transform: `translate(${x + 18} ${y + 56 + row * 22})` }, ...children);
    if (workers === null) {
      this.parts.workers.replaceChildren(line(0, [svg("text", { class: "role" }, "unknown: not started on this machine")]));
      return;
    }
    const shown = workers.slice(0, MAX_SHOWN).map((worker, row) =>
      line(row, [
        svg("circle", { cx: 6, cy: -5, r: 6, class: `dot ${worker.state}` }),
        svg("text", { x: 22, class: "worker" }, worker.name),
        svg("text", { x: 118, class: "role" }, worker.state),
        svg("text", { x: 262, class: "role", "text-anchor": "end" }, worker.in_hand === null ? "" : `${worker.in_hand} in hand`),
      ]));
    if (workers.length > MAX_SHOWN) shown.at(-1).replaceChildren(svg("text", { class: "role" }, `and ${workers.length - MAX_SHOWN + 1} more`));
    this.parts.workers.replaceChildren(...shown);
  }

  #edge(key, value) {
    const { line, label } = this.parts[key];
    if (label) label.textContent = rate(value);
    line.classList.toggle("flowing", value > 0.05);
  }

  // The same numbers as rows, for small screens.
  #table(seen, history) {
    const head = el("tr", {}, ...["queue", "waiting", "flight", "oldest", "DLQ", ""].map((name) => el("th", { scope: "col" }, name)));
    const rows = Object.entries(seen.queues).map(([key, queue]) => {
      const { line } = history.paths(key, 52, 20);
      const empty = queue.waiting + queue.in_flight + queue.delayed === 0;
      return el("tr", { class: queue.dlq ? "has-dead" : "" },
        el("th", { scope: "row" }, el("button", { type: "button", class: "quiet", onclick: () => this.onQueue(key) }, key)),
        el("td", {}, count(queue.waiting)), el("td", {}, count(queue.in_flight)), el("td", {}, empty ? "–" : age(queue.oldest_s)),
        el("td", { class: "dlq" }, queue.dlq === null ? "–" : count(queue.dlq)),
        el("td", {}, svg("svg", { viewBox: "0 0 52 22", class: "mini", "aria-hidden": "true" }, svg("path", { d: line, class: "spark-line" }))));
    });
    const workers = (seen.workers ?? []).map((each) => `${each.name} ${each.state}`).join(", ") || "unknown";
    const foot = (name, said) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { colspan: 5 }, said));
    this.glance.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows, foot("workers", workers), foot("orders", count(seen.orders)),
      foot("order-api", this.parts.api.textContent)));
  }
}
