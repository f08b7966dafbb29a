// Disorder, faults and the clock of localbus. Elsewhere all of it is grey, with the reason.

import { el } from "./dom.js";

const KINDS = {
  throttle: "Throttle", error_before: "500, not done", error_after: "500, but done", latency: "1 s late", drop: "Cut off",
};
const WHOSE = {
  "*": "any action", PublishBatch: "PublishBatch (order-api)", PutEvents: "PutEvents (order-api, worker)",
  ReceiveMessage: "ReceiveMessage (worker)", DeleteMessageBatch: "DeleteMessageBatch (worker)",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibilityBatch (worker)",
};
const DISORDERS = {
  none: "None", duplicates: "Duplicates 10 %", reordering: "Reordering 30 %", "missed polls": "Missed polls 30 %", "all of it": "All of it",
};
const SHARES = { 0.1: "10 %", 0.5: "50 %", 1: "all" };
const STEPS = { "30 s": 30, "5 min": 300, "1 h": 3600, "4 d": 345600 };
const LATE_MS = 1000;

const choice = (id, label, options, words) => el("select", { id, "aria-label": label },
  ...options.map((value) => el("option", { value }, words[value] ?? String(value))));

export class Disturbances {
  constructor(buttons, about, act) {
    this.act = act;
    this.disorder = choice("disorder", "Disorder of standard queues", about.disorders, DISORDERS);
    this.disorder.addEventListener("change", () => act("disorder", { preset: this.disorder.value }));
    buttons.add("disorder", this.disorder);
    this.kind = choice("fault-kind", "What goes wrong", about.fault_kinds, KINDS);
    this.action = choice("fault-action", "With which action", about.fault_actions, WHOSE);
    this.share = choice("fault-share", "In how many calls", Object.keys(SHARES).sort(), SHARES);
    for (const each of [this.kind, this.action, this.share]) buttons.add("faults", each);
    this.action.value = "ReceiveMessage";
    this.asked = el("p", { class: "note" });
    this.time = el("p", { class: "note" });
    this.parts = [
      el("div", { class: "pair" }, el("label", { for: "disorder" }, "Disorder"), this.disorder),
      el("div", { class: "faults", role: "group", "aria-label": "Faults" }, this.kind, this.share, this.action,
        el("div", { class: "row" }, buttons.make("faults", "Let it fail", () => act("faults", this.#fault()), "", (command) => this.#failing(command)),
          buttons.make("faults", "No faults", () => act("faults", {})))),
      this.asked,
      el("div", { class: "row", role: "group", "aria-label": "Clock" }, el("span", {}, "Clock"),
        ...Object.entries(STEPS).map(([name, advance_s]) => buttons.make("clock", `+${name}`, () => act("clock", { advance_s }), "",
          (command) => command.replace(/"advance_s": \d+/, `"advance_s": ${advance_s}`)))),
      this.time,
    ];
  }

  update(condition, reason, fixed) {
    this.asked.textContent = condition === null ? reason : this.#faults(condition.faults);
    this.time.textContent = condition === null ? "" : `${new Date(condition.now * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC${condition.manual ? ", stands until it is moved" : `. ${fixed}`}`;
    const set = condition?.disorder;
    if (set && document.activeElement !== this.disorder) this.disorder.value = this.#preset(set);
  }

  #preset(set) {
    const on = ["duplicates", "reordering", "missed_polls"].filter((name) => set[name] > 0);
    return on.length === 0 ? "none" : on.length > 1 ? "all of it" : on[0].replace("_", " ");
  }

  #faults(rules) {
    if (!rules?.length) return "Every call is answered.";
    return rules.map((rule) => `${KINDS[rule.kind] ?? rule.kind} in ${Math.round(rule.probability * 100)} % of ${WHOSE[rule.action] ?? rule.action}`).join("; ");
  }

  #fault() {
    const wanted = { kind: this.kind.value, action: this.action.value, probability: Number(this.share.value) };
    return wanted.kind === "latency" ? { ...wanted, latency_ms: LATE_MS } : wanted;
  }

  #failing(command) {
    return command.replace('{"rules": []}', JSON.stringify({ seed: 7, rules: [this.#fault()] }));
  }
}
