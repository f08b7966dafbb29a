// The board in presenter mode: few numbers, large enough for a room, with the proof, the effect and a key for each control.

import { age, ALL_QUEUES, apiState, count, el, held, rate, svg } from "../dom.js";

const SPARK = { width: 200, height: 40 };
const BACKLOG_S = 2;
const TYPING = "input, select, textarea";

export class Stage {
  // moved: parts of the board that are shown here instead.
  constructor(place, { buttons, act, about, moved }) {
    Object.assign(this, { act, about });
    this.cards = {
      api: this.#card("order-api", "accepts"), work: this.#card("SQS work", "waiting", "work"),
      express: this.#card("SQS express", "waiting", "express"), workers: this.#card("workers", "running"),
      orders: this.#card("orders", "recorded"), dead: this.#card("DLQs", "dead letters"),
    };
    this.keys = new Map();
    const key = (letter, control, text, press) => {
      const button = buttons.make(control, "", press);
      button.setAttribute("aria-keyshortcuts", letter);
      const label = el("span", {}, text);
      button.append(el("kbd", { "aria-hidden": "true" }, letter), label);
      this.keys.set(letter.toLowerCase(), { button, label });
      return button;
    };
    const row = el("div", { class: "keys", role: "group", "aria-label": "Controls" },
      key("T", "stream", "Stream", () => this.#stream()),
      key("B", "burst", `Burst ${about.burst}`, () => act("burst", { count: about.burst }, { doing: "Sending a burst" })),
      key("S", "worker-1.stop", "Stop worker", () => this.#workers("stop", (state) => state !== "stopped")),
      key("W", "worker-1.start", "Start worker", () => this.#workers("start", (state) => state === "stopped")),
      key("P", "poison", "Poison", () => act("place", { kind: "poison" }, { doing: "Placing the order", control: "poison", text: (id) => `Accepted: ${id.slice(0, 8)}` })),
      key("R", "work.redrive", "Redrive", () => act("redrive", { queue: "work" }, { doing: "Moving the dead letters of work back", control: "queue.redrive" })));
    place.append(el("div", { class: "cards" }, ...Object.values(this.cards).map(({ card }) => card)), ...moved, row);
    place.hidden = false;
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  update(snapshot, history) {
    this.snapshot = snapshot;
    const { queues, workers, orders, rates, traffic } = snapshot;
    this.#show("api", rate(rates.accepted) || "–", snapshot.api_ms === null ? apiState(snapshot) : `in ${snapshot.api_ms.toFixed(0)} ms`, snapshot.api_ready === false);
    for (const name of ["work", "express"]) {
      const queue = queues[name];
      this.#show(name, count(queue.waiting), held(queue) ? `oldest ${age(queue.oldest_s)}` : "empty", queue.waiting > 0 && queue.oldest_s > BACKLOG_S);
      const { line, area } = history.paths(name, SPARK);
      this.cards[name].line.setAttribute("d", line);
      this.cards[name].area.setAttribute("d", area);
    }
    const running = workers?.filter((each) => each.state === "running").length;
    this.#show("workers", workers === null ? "?" : count(running), workers === null ? "unknown" : `of ${workers.length}`, running === 0);
    this.#show("orders", orders === null ? "?" : count(orders), rate(rates.recorded));
    const dead = ALL_QUEUES.reduce((sum, name) => sum + (name.endsWith("-dlq") ? queues[name.replace("-dlq", "")].dlq ?? 0 : name === "undelivered" ? queues[name].waiting : 0), 0);
    this.#show("dead", count(dead), "", dead > 0);
    this.keys.get("t").label.textContent = traffic.per_s > 0 ? "Stop stream" : `Stream ${this.about.stream_per_s}/s`;
  }

  #card(title, unit, spark) {
    const big = el("strong", { class: "figure" }, "…");
    const note = el("span", { class: "note" });
    const [line, area] = ["spark-line", "spark-area"].map((kind) => svg("path", { class: kind }));
    const drawn = spark ? svg("svg", { viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, area, line) : null;
    const card = el("div", { class: "stage-card", role: "group", "aria-label": title }, el("b", {}, title), big, el("span", { class: "unit" }, unit), note, drawn);
    return { card, big, note, line, area };
  }

  #show(name, figure, note, alarm = false) {
    const { card, big, note: below } = this.cards[name];
    big.textContent = figure;
    big.classList.toggle("long", figure.length > 5);
    below.textContent = note;
    card.classList.toggle("alarm", alarm);
  }

  #stream() {
    const per_s = this.snapshot?.traffic.per_s > 0 ? 0 : this.about.stream_per_s;
    this.act("stream", { per_s }, { doing: "Changing the stream" });
  }

  async #workers(action, wanted) {
    for (const { name, state } of (this.snapshot?.workers ?? []).filter((each) => wanted(each.state))) {
      await this.act("worker", { name, action }, { doing: `${name}: ${action}`, control: `worker.${action}` });
    }
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest?.(TYPING)) return;
    this.keys.get(event.key.toLowerCase())?.button.click();
  }
}
