// The knobs. The server says which can be turned, why others cannot, and which command does the same.

import { Buttons } from "./buttons.js";
import { Call } from "./call.js";
import { Disturbances } from "./disturbances.js";
import { el, post, toast } from "./dom.js";
import { Orders } from "./orders.js";

const PREPARATIONS_MS = [0, 50, 200, 1000, 5000];
const DIFFERENT = "different";
const UNKNOWN = "unknown";
const DEAD = ["work", "express", "alerts", "inbox", "undelivered"];

export class Knobs {
  constructor(place, about, onOrder) {
    this.call = new Call();
    this.buttons = new Buttons(this.call);
    const act = (...turn) => this.act(...turn);
    this.orders = new Orders(this.buttons, about, { act, onOrder });
    this.disturbances = new Disturbances(this.buttons, about, act);
    this.workers = el("div", { class: "workers" });
    this.letters = new Map();
    place.append(
      this.call.element,
      this.#group("Place orders", ...this.orders.parts),
      this.#group("Workers", this.workers, this.buttons.make("worker.add", "Add a worker", () => this.act("add-worker", {})), this.#preparation()),
      this.#group("Dead letters", ...DEAD.map((queue) => this.#dead(queue))),
      this.#group("Notifier and archive", el("div", { class: "row" },
        (this.mapping = this.buttons.make("mapping", "Pause the notifier", () => this.act("mapping", { enabled: this.paused }))),
        this.buttons.make("replay", "Replay the archive", () => this.act("replay", {})))),
      this.#group("Disorder, faults, clock", ...this.disturbances.parts),
    );
  }

  update(seen) {
    this.paused = (seen.mapping ?? "").startsWith("Disabl");
    this.mapping.textContent = this.paused ? "Let the notifier go on" : "Pause the notifier";
    this.#workers(seen.workers);
    this.buttons.update(seen.knobs);
    this.#prepared(seen.workers === null ? UNKNOWN : seen.preparation_ms);
    for (const [queue, count] of this.letters) {
      const found = seen.queues[queue];
      const resting = found.dlq_name === null ? found.waiting : found.dlq;
      count.textContent = resting === null ? "unknown" : resting.toLocaleString("en");
      count.classList.toggle("some", resting > 0);
    }
    this.orders.update(seen.traffic);
    this.disturbances.update(seen.localbus, seen.knobs.disorder.reason, seen.knobs.clock.reason);
  }

  async act(action, body, words = (said) => said) {
    try {
      const done = await post(`/api/do/${action}`, body);
      this.call.done(words(done.said), done.command);
      toast(words(done.said));
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
    this.preparation = el("select", { id: "preparation" }, ...PREPARATIONS_MS.map((ms) => this.#option(ms)));
    this.preparation.addEventListener("change", () => this.act("preparation", { milliseconds: Number(this.preparation.value) }));
    this.buttons.add("preparation", this.preparation);
    return el("div", { class: "pair" }, el("label", { for: "preparation" }, "An order takes"), this.preparation);
  }

  #option(ms) {
    return el("option", { value: ms }, ms === DIFFERENT ? "differs by worker" : ms === UNKNOWN ? UNKNOWN : ms ? `${ms} ms more` : "as it is");
  }

  // What the running workers have, also when that is none of the presets.
  #prepared(ms) {
    if (document.activeElement === this.preparation) return;
    const value = String(ms ?? DIFFERENT);
    if (![...this.preparation.options].some((each) => each.value === value)) this.preparation.append(this.#option(ms ?? DIFFERENT));
    this.preparation.value = value;
  }

  #dead(queue) {
    const count = el("span", { class: "resting" }, "…");
    this.letters.set(queue, count);
    const button = (name, text, kind) => {
      const made = this.buttons.make(`${queue}.${name}`, text, () => this.act(name, { queue }), kind);
      made.setAttribute("aria-label", `${text} the dead letters of ${queue}`);
      return made;
    };
    return el("div", { class: "row dead-row" }, el("span", {}, queue), count, button("redrive", "Redrive", ""), button("purge", "Purge", "bad"));
  }

  #workers(workers) {
    const names = workers === null ? "unknown" : workers.map((each) => each.name).join();
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
