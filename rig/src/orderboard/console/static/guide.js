// "Try this": a tour of five steps, checked off as they happen. Ticks survive a reload, and end with the console; once
// hidden, the guide stays hidden.

import { el } from "./dom.js";

const BACKLOG = 40;

export class Guide {
  constructor(place, opener, { stream_per_s, run }, act) {
    Object.assign(this, { place, opener, run });
    this.done = this.#kept();
    const worker = (action) => act("worker", { name: "worker-1", action }, { doing: `worker-1: ${action}`, control: `worker.${action}` });
    const stream = (per_s) => act("stream", { per_s }, { doing: "Changing the stream" });
    const steps = [
      ["flow", "Send a stream of orders, or a burst", `${stream_per_s} a second`, () => stream(stream_per_s)],
      ["stop", "Stop the worker", "Stop worker-1", () => worker("stop")],
      ["backlog", "Queues fill, and order-api keeps answering", null, null],
      ["start", "Start it: the backlog drains", "Start worker-1", () => worker(this.frozen ? "thaw" : "start")],
      ["balance", "Stop the stream: none was lost", "Stop the stream", () => stream(0)],
    ];
    this.items = new Map(steps.map(([key, text, button, press]) => [key, this.#item(text, button, press)]));
    this.again = el("button", { type: "button", class: "quiet again", hidden: true, onclick: () => this.#restart() }, "Once more");
    place.append(el("h2", {}, "Try this"), el("ol", {}, ...[...this.items.values()].map((item) => item.line)), this.again,
      el("button", { type: "button", class: "quiet hide", "aria-label": "Hide the guide", onclick: () => this.#show(false) }, "Hide"));
    opener.addEventListener("click", () => this.#show(true));
    this.#show(localStorage.getItem("guide") !== "hidden");
  }

  update(snapshot) {
    const { traffic, queues, workers, reconciliation, controls } = snapshot;
    const ours = workers !== null;
    const worker = workers?.find((each) => each.name === "worker-1");
    this.frozen = worker?.state === "frozen";
    const backlog = queues.work.waiting + queues.express.waiting;
    const down = ours && worker?.state !== "running";
    this.before ??= traffic.accepted; // orders sent before the guide was started once more do not count
    const sent = traffic.accepted - this.before;
    if (traffic.per_s > 0 || sent >= BACKLOG) this.done.add("flow");
    if (down) this.done.add("stop");
    if (this.done.has("stop") && down && backlog >= BACKLOG) this.done.add("backlog");
    if (this.done.has("backlog") && !down) this.done.add("start");
    if (this.done.has("start") && traffic.per_s === 0 && reconciliation.balanced) this.done.add("balance");
    localStorage.setItem("guide-done", JSON.stringify({ run: this.run, done: [...this.done] }));
    const now = [...this.items.keys()].find((key) => !this.done.has(key));
    for (const [key, { line, button }] of this.items) {
      line.className = this.done.has(key) ? "done" : key === now ? "now" : "";
      line.setAttribute("aria-current", key === now ? "step" : "false");
      if (button) button.disabled = key === "flow" || key === "balance" ? Boolean(controls.stream.reason) : !ours;
    }
    this.again.hidden = now !== undefined;
  }

  #kept() {
    const { run, done } = JSON.parse(localStorage.getItem("guide-done") ?? "{}");
    return new Set(run === this.run ? done : []);
  }

  #restart() {
    this.done.clear();
    this.before = undefined;
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
