// The diagram: drawn once; afterwards only its numbers, states and sparklines change. Small screens show table.js.

import { age, apiState, count, held, notifierState, QUEUE_NOTES, rate, svg } from "./dom.js";

const QUEUES = {
  express: { x: 560, y: 10, title: "SQS express" },
  work: { x: 560, y: 178, title: "SQS work" },
  alerts: { x: 330, y: 470, title: "SQS alerts" },
  inbox: { x: 930, y: 470, title: "SQS inbox", note: "nothing reads it" },
  undelivered: { x: 20, y: 470, title: "undelivered", note: "failed deliveries" },
};
const W = 236;
const H = 152;
const SPARK = { width: W - 4, height: 40 };
const API_SPARK = { width: 168, height: 24, least: 100 };
const MAX_SHOWN = 7;

const EDGES = {
  accepted: { d: "M112 130H166", label: [139, 118] },
  publish: { d: "M342 130H378", label: [360, 118] },
  express_in: { d: "M508 112 556 86", label: [512, 82] },
  work_in: { d: "M508 148 556 236", label: [506, 214] },
  express_done: { d: "M796 86 866 112", label: [832, 82] },
  work_done: { d: "M796 246 866 206", label: [836, 252] },
  recorded: { d: "M1048 268V308", label: [1072, 293] },
  fact: { d: "M254 192V386H326", text: "events", label: [262, 290], start: true },
  outcome: { d: "M896 268V386H802", text: "outcomes", label: [888, 346], end: true },
  rules: { d: "M448 418V466", text: "rules", label: [458, 447], start: true },
  invoke: { d: "M566 547H622" },
  announced: { d: "M782 547H926", label: [854, 535] },
};

export class Diagram {
  constructor(place, onQueue) {
    this.parts = {};
    this.onQueue = onQueue;
    place.append(this.#draw());
  }

  update(snapshot, history) {
    for (const [key, queue] of Object.entries(snapshot.queues)) this.#queue(key, queue, history);
    this.#api(snapshot, history);
    this.#workers(snapshot.workers);
    this.parts.orders.textContent = snapshot.orders === null ? "count unknown" : `${count(snapshot.orders)} recorded`;
    this.parts.mapping.textContent = notifierState(snapshot.mapping);
    this.parts.notifier.classList.toggle("off", notifierState(snapshot.mapping) === "paused");
    for (const key of Object.keys(EDGES)) this.#edge(key, snapshot.rates[key]);
  }

  #draw() {
    const drawn = svg(
      "svg",
      { viewBox: "0 0 1180 632", role: "group", "aria-label": "The flow of orders, with current counts" },
      svg("defs", {}, this.#tip("tip"), this.#tip("tip-flowing")),
    );
    for (const [key, edge] of Object.entries(EDGES)) {
      const line = svg("path", { d: edge.d, class: "edge" });
      drawn.append(line);
      if (edge.label) {
        const anchor = edge.start ? "start" : edge.end ? "end" : "middle";
        const label = svg("text", { x: edge.label[0], y: edge.label[1], class: "rate", "text-anchor": anchor }, edge.text ?? "");
        drawn.append(label);
        this.parts[key] = { line, label, text: edge.text };
      } else this.parts[key] = { line, label: null };
    }
    for (const [row, text] of ["Lines: messages in each queue,", "and how long order-api takes,", "over the last five minutes"].entries()) {
      drawn.append(svg("text", { x: 20, y: 262 + row * 19, class: "legend" }, text));
    }
    drawn.append(
      this.#card(20, 98, 92, 64, "card", "clients", "HTTP"),
      this.#apiCard(170, 68, 172, 124),
      this.#card(382, 90, 126, 80, "card", "SNS orders", "fans out orders"),
      this.#workersCard(870, 60, 296, 208),
      this.#card(930, 312, 236, 76, "card", "DynamoDB orders", null, ["orders"]),
      this.#card(330, 354, 468, 64, "card", "EventBridge bus", "events, routed by rules, archived"),
      (this.parts.notifier = this.#card(626, 497, 156, 100, "service", "notifier", "Lambda", ["mapping"])),
      ...Object.keys(QUEUES).map((key) => this.#queueCard(key)),
    );
    return drawn;
  }

  #tip(id) {
    return svg("marker", { id, viewBox: "0 0 10 10", refX: 8, refY: 5, markerUnits: "userSpaceOnUse", markerWidth: 12, markerHeight: 12, orient: "auto" },
      svg("path", { d: "M0 0 10 5 0 10z", class: id }));
  }

  #apiCard(x, y, width, height) {
    const card = this.#card(x, y, width, height - 24, "", "order-api", "the cashier", ["api"]);
    card.prepend(svg("rect", { x, y, width, height, rx: 12, class: "service" }));
    this.parts.slow = this.#spark(x + 2, y + height - API_SPARK.height - 2);
    card.append(svg("title", {}, "Response time over the last five minutes"), ...this.parts.slow);
    return card;
  }

  #spark(x, y) {
    return ["spark-area", "spark-line"].map((kind) => svg("path", { class: kind, transform: `translate(${x} ${y})` }));
  }

  #card(x, y, width, height, kind, name, role, values = []) {
    const lines = 1 + (role ? 1 : 0) + values.length;
    const middle = x + width / 2;
    let at = y + height / 2 - (lines - 1) * 11 + 5;
    const group = svg("g", {}, kind ? svg("rect", { x, y, width, height, rx: 12, class: kind }) : null, svg("text", { x: middle, y: at, class: "name", "text-anchor": "middle" }, name));
    if (role) group.append(svg("text", { x: middle, y: (at += 21), class: "role", "text-anchor": "middle" }, role));
    for (const value of values) {
      this.parts[value] = svg("text", { x: middle, y: (at += 23), class: "value", "text-anchor": "middle" }, "…");
      group.append(this.parts[value]);
    }
    return group;
  }

  #queueCard(key) {
    const { x, y, title } = QUEUES[key];
    const text = (dx, dy, kind, anchor = "start", content = "") =>
      svg("text", { x: x + dx, y: y + dy, class: kind, "text-anchor": anchor }, content);
    const open = () => this.onQueue(key);
    const part = {
      spark: this.#spark(x + 2, y + H - SPARK.height - 4),
      waiting: svg("tspan", { class: "big" }),
      detail: text(16, 86, "role"),
      oldest: text(16, 105, "role"),
      peak: text(W - 14, 105, "role", "end"),
      badge: svg("rect", { x: x + W - 82, y: y + 9, width: 70, height: 24, rx: 12, class: "badge" }),
      dlq: text(W - 47, 26, "badge-text", "middle"),
    };
    part.group = svg(
      "g",
      {
        class: "queue-card", tabindex: 0, role: "button", "data-queue": key, onclick: open,
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); } },
      },
      svg("title", {}, `${QUEUE_NOTES[key]} Select to peek.`),
      svg("rect", { x, y, width: W, height: H, rx: 12, class: key === "undelivered" ? "queue dead" : "queue" }),
      ...part.spark, text(16, 26, "name", "start", title),
      svg("text", { x: x + 16, y: y + 64 }, part.waiting, svg("tspan", { class: "role", dx: 7 }, "waiting")), part.detail, part.oldest, part.peak,
      ...(key === "undelivered" ? [] : [part.badge, part.dlq]),
    );
    this.parts[key] = part;
    return part.group;
  }

  #queue(key, queue, history) {
    const part = this.parts[key];
    part.waiting.textContent = count(queue.waiting);
    const delayed = queue.delayed ? ` · ${count(queue.delayed)} delayed` : "";
    const { note } = QUEUES[key];
    part.detail.textContent = note && !queue.in_flight ? `${note}${delayed}` : `${count(queue.in_flight)} in flight${delayed}`;
    const empty = held(queue) === 0;
    part.oldest.textContent = empty ? "empty" : `oldest ${age(queue.oldest_s)}`;
    part.dlq.textContent = `DLQ ${count(queue.dlq)}`;
    const wide = 26 + 8 * part.dlq.textContent.length;
    part.badge.setAttribute("width", wide);
    part.badge.setAttribute("x", QUEUES[key].x + W - 12 - wide);
    part.dlq.setAttribute("x", QUEUES[key].x + W - 12 - wide / 2);
    part.group.setAttribute("aria-label", `${QUEUES[key].title}: ${count(queue.waiting)} waiting, ${count(queue.in_flight)} in flight${queue.dlq_name ? `, ${count(queue.dlq)} in its DLQ` : ""}. Peek into it.`);
    part.group.classList.toggle("has-dead", key === "undelivered" ? queue.waiting > 0 : queue.dlq > 0);
    part.group.classList.toggle("busy", !empty);
    const top = this.#line(part.spark, history.paths(key, SPARK));
    part.peak.textContent = top ? `peak ${count(top)}` : "";
  }

  #line([area, line], paths) {
    area.setAttribute("d", paths.area);
    line.setAttribute("d", paths.line);
    return paths.top;
  }

  #api(snapshot, history) {
    this.parts.api.textContent = apiState(snapshot);
    this.#line(this.parts.slow, history.paths("api_ms", API_SPARK));
    this.parts.api.classList.toggle("alarm", snapshot.api_ready === false);
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
        svg("text", { x: 262, class: "role", "text-anchor": "end" }, worker.function ? "Lambda" : worker.in_hand === null ? "" : `${worker.in_hand} in hand`),
      ]));
    if (workers.length > MAX_SHOWN) shown.at(-1).replaceChildren(svg("text", { class: "role" }, `and ${workers.length - MAX_SHOWN + 1} more`));
    this.parts.workers.replaceChildren(...shown);
  }

  #edge(key, value) {
    const { line, label, text = "" } = this.parts[key];
    if (label) label.textContent = `${text} ${rate(value)}`.trim();
    line.classList.toggle("flowing", value > 0.05);
  }
}
