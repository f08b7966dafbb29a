// Delivery faults, API faults and the clock of localbus, and kills. On other backends they are disabled with the reason.

import { el, select } from "./dom.js";

const KINDS = {
  throttle: "Throttle", error_before: "500, not executed", error_after: "500, but executed", latency: "1 s of latency",
  drop: "Close the connection", timeout_after: "Executed, no answer",
};
const ACTIONS = {
  "*": "any action", PublishBatch: "PublishBatch (order-api)", PutEvents: "PutEvents (order-api, worker)",
  ReceiveMessage: "ReceiveMessage (worker)", DeleteMessageBatch: "DeleteMessageBatch (worker)",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibilityBatch (worker)",
};
const PRESETS = {
  none: "None", duplicates: "Duplicates 10 %", reordering: "Reordering 30 %", "missed polls": "Missed polls 30 %",
  "all of it": "All of them",
};
const SHARES = { 0.1: "10 %", 0.5: "50 %", 1: "all" };
const STEPS = { "30 s": 30, "5 min": 300, "1 h": 3600, "4 d": 345600 };
const LATENCY_MS = 1000;
const NO_FAULTS = "faults none"; // in the command of the control

export class Faults {
  constructor(buttons, about, act) {
    this.delivery = select("delivery-faults", "Delivery faults of standard queues", about.delivery_presets, PRESETS);
    this.delivery.addEventListener("change", () => act("delivery-faults", { preset: this.delivery.value }, { doing: "Changing the delivery" }));
    buttons.add("delivery-faults", this.delivery);
    this.kind = select("fault-kind", "Fault", about.fault_kinds, KINDS);
    this.action = select("fault-action", "Action that fails", about.fault_actions, ACTIONS);
    this.share = select("fault-share", "Share of calls that fail", Object.keys(SHARES).sort(), SHARES);
    for (const each of [this.kind, this.action, this.share]) buttons.add("faults", each);
    this.action.value = "ReceiveMessage";
    this.current = el("p", { class: "note" });
    this.time = el("p", { class: "note" });
    const withRule = (command) => command.replace(NO_FAULTS, `faults ${this.#ruleText()}`);
    this.parts = [
      el("div", { class: "pair" }, el("label", { for: "delivery-faults" }, "Delivery"), this.delivery),
      el("div", { class: "faults", role: "group", "aria-label": "API faults" }, this.kind, this.share, this.action,
        el("div", { class: "row" }, buttons.make("faults", "Inject fault", () => act("faults", { rule: this.#rule() }, { doing: "Injecting the fault" }), "", withRule),
          buttons.make("faults", "No faults", () => act("faults", {}, { doing: "Removing the faults" })))),
      this.current,
    ];
    this.otherParts = [
      el("div", { class: "row even", role: "group", "aria-label": "Kill and start again" },
        buttons.make("kill-backend", "Kill the backend", () => act("kill-backend", {}, { doing: "Killing the backend" }), "bad"),
        buttons.make("kill-api", "Kill order-api", () => act("kill-api", {}, { doing: "Killing order-api, and starting it again" }), "bad")),
      el("div", { class: "row clock", role: "group", "aria-label": "Advance the clock" }, el("span", {}, "Clock"),
        ...Object.entries(STEPS).map(([text, seconds]) =>
          buttons.make("clock", `+${text}`, () => act("clock", { advance_s: seconds }, { doing: "Advancing the clock" }), "", (command) => command.replace(/\+\d+s/, `+${seconds}s`)))),
      this.time,
    ];
  }

  update(settings, reason) {
    this.current.textContent = settings === null ? reason : this.#text(settings.faults);
    this.time.textContent = settings === null ? "" : this.#clock(settings);
    if (settings?.delivery && document.activeElement !== this.delivery) this.delivery.value = this.#preset(settings.delivery);
  }

  #clock({ now, manual }) {
    const time = new Date(now * 1000).toISOString().slice(0, 19).replace("T", " ");
    return `${time} UTC, ${manual ? "until you advance it" : "real time"}`;
  }

  #preset(shares) {
    const on = ["duplicates", "reordering", "missed_polls"].filter((name) => shares[name] > 0);
    return on.length === 0 ? "none" : on.length > 1 ? "all of it" : on[0].replace("_", " ");
  }

  #text(rules) {
    if (!rules?.length) return "No API faults.";
    return rules.map(({ kind, probability, action }) =>
      `${KINDS[kind] ?? kind} in ${Math.round(probability * 100)} % of ${ACTIONS[action] ?? action}`).join("; ");
  }

  // As `orderboard faults` takes it.
  #ruleText() {
    const { kind, action, probability, latency_ms } = this.#rule();
    return `seed=7,${kind}${action === "*" ? "" : `:${action}`}${latency_ms ? `/${latency_ms}ms` : ""}=${probability}`;
  }

  #rule() {
    const rule = { kind: this.kind.value, action: this.action.value, probability: Number(this.share.value) };
    return rule.kind === "latency" ? { ...rule, latency_ms: LATENCY_MS } : rule;
  }
}
