// The controls. The server says which are available, why others are not, and which command has the same effect.

import { Buttons } from "./buttons.js";
import { count, el, post, QUEUES, select, toast } from "./dom.js";
import { Faults } from "./faults.js";
import { Orders } from "./orders.js";

const PREPARATIONS_MS = [0, 50, 200, 1000, 5000];
const DIFFERENT = "different";
const UNKNOWN = "unknown";
const preparationText = (ms) => ({ 0: "no extra time", [DIFFERENT]: "differs by worker", [UNKNOWN]: UNKNOWN })[ms] ?? `${ms} ms extra`;

export class Controls {
  constructor(place, about, onOrder) {
    this.buttons = new Buttons();
    const act = (...action) => this.act(...action);
    this.orders = new Orders(this.buttons, about, { act, onOrder });
    this.faults = new Faults(this.buttons, about, act);
    this.workers = el("div", { class: "workers" });
    this.deadCounts = new Map();
    place.append(
      this.buttons.element,
      this.#group("Place orders", ...this.orders.parts),
      this.#group("Workers", this.workers, this.buttons.make("worker.add", "Add a worker", () => this.act("add-worker", {})), this.#preparation()),
      this.#group("Dead letters", ...QUEUES.map((queue) => this.#dead(queue))),
      this.#group("Notifier and archive", el("div", { class: "row" },
        (this.mapping = this.buttons.make("mapping", "Pause the notifier", () => this.act("mapping", { enabled: this.paused }))),
        this.buttons.make("replay", "Replay the archive", () => this.act("replay", {})))),
      this.#group("Faults and clock", ...this.faults.parts),
    );
  }

  update(snapshot) {
    this.paused = (snapshot.mapping ?? "").startsWith("Disabl");
    this.mapping.textContent = this.paused ? "Resume the notifier" : "Pause the notifier";
    this.#workers(snapshot.workers);
    this.buttons.update(snapshot.controls);
    this.#prepared(snapshot.workers === null ? UNKNOWN : snapshot.preparation_ms ?? DIFFERENT);
    for (const [name, cell] of this.deadCounts) {
      const queue = snapshot.queues[name];
      const dead = queue.dlq_name === null ? queue.waiting : queue.dlq;
      cell.textContent = count(dead);
      cell.classList.toggle("some", dead > 0);
    }
    this.orders.update(snapshot.traffic);
    this.faults.update(snapshot.localbus, snapshot.controls["delivery-faults"].reason, snapshot.controls.clock.reason);
  }

  async act(action, body, text = (message) => message) {
    try {
      const done = await post(`/api/do/${action}`, body);
      this.buttons.done(text(done.message), done.command);
      toast(text(done.message));
      return done;
    } catch (error) {
      toast(error.message, { bad: true });
      return null;
    }
  }

  #group(title, ...children) {
    return el("fieldset", {}, el("legend", {}, title), ...children);
  }

  #preparation() {
    const texts = Object.fromEntries(PREPARATIONS_MS.map((ms) => [ms, preparationText(ms)]));
    this.preparation = select("preparation", null, PREPARATIONS_MS, texts);
    this.preparation.addEventListener("change", () => this.act("preparation", { milliseconds: Number(this.preparation.value) }));
    this.buttons.add("preparation", this.preparation);
    return el("div", { class: "pair" }, el("label", { for: "preparation" }, "Handling time"), this.preparation);
  }

  // The running workers' value, even if it is not one of the presets.
  #prepared(ms) {
    if (document.activeElement === this.preparation) return;
    if (![...this.preparation.options].some((each) => each.value === String(ms))) {
      this.preparation.append(el("option", { value: ms }, preparationText(ms)));
    }
    this.preparation.value = String(ms);
  }

  #dead(queue) {
    const cell = el("span", { class: "dead-count" }, "…");
    this.deadCounts.set(queue, cell);
    const button = (name, text, kind) => {
      const made = this.buttons.make(`${queue}.${name}`, text, () => this.act(name, { queue }), kind);
      made.setAttribute("aria-label", `${text} the dead letters of ${queue}`);
      return made;
    };
    return el("div", { class: "row dead-row" }, el("span", {}, queue), cell, button("redrive", "Redrive", ""), button("purge", "Purge", "bad"));
  }

  #workers(workers) {
    const names = workers === null ? UNKNOWN : workers.map((each) => each.name).join();
    if (names !== this.names) {
      this.names = names;
      this.dots = new Map();
      this.workers.replaceChildren(...(workers ?? []).map((worker) => this.#worker(worker.name)));
      if (workers === null) this.workers.append(el("p", { class: "note" }, "Unknown: the workers were not started on this machine."));
    }
    for (const worker of workers ?? []) {
      const dot = this.dots.get(worker.name);
      dot.className = `dot ${worker.state}`;
      dot.title = worker.state;
    }
  }

  #worker(name) {
    const dot = el("span", { class: "dot", role: "img" });
    this.dots.set(name, dot);
    const button = (action) => {
      const made = this.buttons.make(`${name}.${action}`, action, () => this.act("worker", { name, action }), action === "kill" ? "bad" : "");
      made.setAttribute("aria-label", `${action} ${name}`);
      return made;
    };
    return el("div", { class: "row worker-row", role: "group", "aria-label": name }, el("span", {}, dot, ` ${name}`),
      ...["stop", "start", "freeze", "thaw", "kill"].map(button));
  }
}
