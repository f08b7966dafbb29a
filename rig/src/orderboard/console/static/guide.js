// "Try this": a tour of five steps, checked off as they happen. Once hidden, it stays hidden.

import { el } from "./dom.js";

const BACKLOG = 40;

export class Guide {
  constructor(place, opener, flowPerS, act) {
    this.place = place;
    this.opener = opener;
    this.done = new Set();
    const steps = [
      ["flow", "Start a stream of orders", `${flowPerS} a second`, () => act("stream", { per_s: flowPerS })],
      ["stop", "Stop the worker", "Stop worker-1", () => act("worker", { name: "worker-1", action: "stop" })],
      ["backlog", "Watch the queues fill while order-api keeps answering", null, null],
      ["start", "Start it and watch the backlog drain", "Start worker-1", () => act("worker", { name: "worker-1", action: this.frozen ? "thaw" : "start" })],
      ["balance", "Stop the stream: no order was lost", "Stop the stream", () => act("stream", { per_s: 0 })],
    ];
    this.items = new Map(steps.map(([key, text, button, press]) => [key, this.#item(text, button, press)]));
    place.append(el("h2", {}, "Try this"), el("ol", {}, ...[...this.items.values()].map((item) => item.line)),
      el("button", { type: "button", class: "quiet hide", "aria-label": "Hide the guide", onclick: () => this.#show(false) }, "Hide"));
    opener.addEventListener("click", () => this.#show(true));
    this.#show(localStorage.getItem("guide") !== "hidden");
  }

  update(snapshot) {
    const ours = snapshot.workers !== null;
    const worker = snapshot.workers?.find((each) => each.name === "worker-1");
    this.frozen = worker?.state === "frozen";
    const backlog = snapshot.queues.work.waiting + snapshot.queues.express.waiting;
    const down = ours && worker?.state !== "running";
    if (snapshot.traffic.per_s > 0) this.done.add("flow");
    if (down) this.done.add("stop");
    if (this.done.has("stop") && down && backlog >= BACKLOG) this.done.add("backlog");
    if (this.done.has("backlog") && !down) this.done.add("start");
    if (this.done.has("start") && snapshot.traffic.per_s === 0 && snapshot.reconciliation.balanced) this.done.add("balance");
    const now = [...this.items.keys()].find((key) => !this.done.has(key));
    for (const [key, { line, button }] of this.items) {
      line.className = this.done.has(key) ? "done" : key === now ? "now" : "";
      line.setAttribute("aria-current", key === now ? "step" : "false");
      if (button) button.disabled = key === "flow" || key === "balance" ? Boolean(snapshot.controls.stream.reason) : !ours;
    }
  }

  #item(text, label, press) {
    const button = label === null ? null : el("button", { type: "button", class: "chip", onclick: press }, label);
    return { line: el("li", {}, el("span", {}, text), button ? " " : null, button), button };
  }

  #show(shown) {
    if (shown) localStorage.removeItem("guide");
    else localStorage.setItem("guide", "hidden");
    const had = this.place.contains(document.activeElement);
    this.place.hidden = !shown;
    this.opener.hidden = shown;
    if (had) this.opener.focus();
  }
}
