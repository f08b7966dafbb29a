// The workers: how many run, a signal for each, and how long an order takes.

import { el, select } from "./dom.js";

const PREPARATIONS_MS = [0, 50, 200, 1000, 5000];
const DIFFERENT = "different";
const UNKNOWN = "unknown";
const LEAST = 1;
const preparationText = (ms) => ({ 0: "as it is", [DIFFERENT]: "differs", [UNKNOWN]: UNKNOWN })[ms] ?? (ms < 1000 ? `+${ms} ms` : `+${ms / 1000} s`);

export class Workers {
  constructor(buttons, { act, latest }) {
    Object.assign(this, { buttons, act, latest });
    this.rows = el("div", { class: "workers" });
    this.number = el("output", { class: "number", "aria-label": "Workers that run" }, "…");
    this.less = buttons.make("workers", "−", () => this.#scale(-1));
    this.more = buttons.make("workers", "+", () => this.#scale(1));
    this.less.setAttribute("aria-label", "One worker less");
    this.more.setAttribute("aria-label", "One worker more");
    const texts = Object.fromEntries(PREPARATIONS_MS.map((ms) => [ms, preparationText(ms)]));
    this.preparation = select("preparation", null, PREPARATIONS_MS, texts);
    this.preparation.addEventListener("change", () => this.#prepare());
    buttons.add("preparation", this.preparation);
    this.parts = [
      this.rows,
      el("div", { class: "pair" },
        el("span", { class: "stepper", role: "group", "aria-label": "Number of workers" }, this.less, this.number, this.more),
        el("label", { for: "preparation" }, "Handling time"), this.preparation),
    ];
  }

  update({ workers, preparation_ms }) {
    const names = workers === null ? UNKNOWN : workers.map((each) => each.name).join();
    if (names !== this.names) {
      this.names = names;
      this.dots = new Map();
      this.rows.replaceChildren(...(workers ?? []).map((worker) => this.#row(worker.name)));
      if (workers === null) this.rows.append(el("p", { class: "note" }, "Unknown: the workers were not started on this machine."));
    }
    for (const worker of workers ?? []) {
      const dot = this.dots.get(worker.name);
      dot.className = `dot ${worker.state}`;
      dot.title = worker.state;
    }
    this.running = workers?.filter((each) => each.state !== "stopped").length;
    if (!this.scaling) this.number.textContent = workers === null ? UNKNOWN : String(this.running);
    this.#prepared(workers === null ? UNKNOWN : preparation_ms ?? DIFFERENT);
  }

  async #scale(by) {
    this.wanted = Math.max(LEAST, (this.scaling ? this.wanted : this.running) + by);
    this.number.textContent = String(this.wanted);
    await this.#busy("scaling", this.number, () =>
      this.latest("scale", { count: this.wanted }, { doing: `Changing to ${this.wanted} ${this.wanted === 1 ? "worker" : "workers"}`, control: "workers" }));
  }

  async #prepare() {
    const milliseconds = Number(this.preparation.value);
    await this.#busy("preparing", this.preparation, () =>
      this.latest("preparation", { milliseconds }, { doing: "Replacing the workers" }));
  }

  // Until the last of the requests is answered, the element shows the wanted value.
  async #busy(name, element, run) {
    this[name] = (this[name] ?? 0) + 1;
    element.classList.add("pending");
    await run();
    this[name] -= 1;
    element.classList.toggle("pending", this[name] > 0);
  }

  // The running workers' value, even if it is not one of the presets.
  #prepared(ms) {
    if (this.preparing || document.activeElement === this.preparation) return;
    if (![...this.preparation.options].some((each) => each.value === String(ms))) {
      this.preparation.append(el("option", { value: ms }, preparationText(ms)));
    }
    this.preparation.value = String(ms);
  }

  #row(name) {
    const dot = el("span", { class: "dot", role: "img" });
    this.dots.set(name, dot);
    const button = (action) => {
      const doing = `${name}: ${action}`;
      const made = this.buttons.make(`${name}.${action}`, action, () => this.act("worker", { name, action }, { doing, control: `worker.${action}` }), action === "kill" ? "bad" : "");
      made.setAttribute("aria-label", `${action} ${name}`);
      return made;
    };
    return el("div", { class: "row worker-row", role: "group", "aria-label": name }, el("span", {}, dot, ` ${name}`),
      ...["stop", "start", "freeze", "thaw", "kill"].map(button));
  }
}
