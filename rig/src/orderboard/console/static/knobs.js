// The knobs. The server says which can be turned, why others cannot, and which command does the same.

import { copyable, el, post, toast } from "./dom.js";

const KINDS = [
  ["normal", "One order"], ["express", "Express"], ["large", "Large"], ["twice", "Sent twice"],
  ["cancelled", "Cancelled"], ["poisoned", "Poisoned"],
];
const PREPARATIONS_MS = [0, 50, 200, 1000, 5000];

export class Knobs {
  constructor(place, about, onOrder) {
    this.onOrder = onOrder;
    this.buttons = new Map();
    this.workers = el("div", { class: "workers" });
    this.recent = el("div", { class: "recent" });
    this.sent = el("p", { class: "note" });
    this.last = el("div", { class: "last" }, el("p", { class: "note" }, "Every knob shows here the call it made, to copy."));
    place.append(
      this.#group("Place orders", this.#orders(), this.#stream(about), this.sent, this.#form(about.menu), this.recent),
      this.#group("Workers", this.workers, this.#button("worker.add", "Add a worker", () => this.#act("add-worker", {})), this.#preparation()),
      this.#group("Notifier and archive", el("div", { class: "row" },
        (this.mapping = this.#button("mapping", "Pause the notifier", () => this.#act("mapping", { enabled: this.paused }))),
        this.#button("replay", "Replay the archive", () => this.#act("replay", {})))),
      this.#group("Dead letters", ...["work", "express", "alerts", "inbox", "undelivered"].map((queue) => this.#dead(queue))),
      this.#group("The last call", this.last),
    );
  }

  update(seen) {
    this.paused = (seen.mapping ?? "").startsWith("Disabl");
    this.mapping.textContent = this.paused ? "Let the notifier go on" : "Pause the notifier";
    this.#workers(seen.workers ?? []);
    for (const [name, button] of this.buttons) {
      const knob = seen.knobs[name];
      button.disabled = Boolean(knob?.reason);
      button.title = knob?.reason ?? knob?.command ?? "";
    }
    for (const option of this.preparation.options) option.selected = Number(option.value) === seen.preparation_ms;
    this.preparation.disabled = Boolean(seen.knobs.preparation.reason);
    this.preparation.title = seen.knobs.preparation.reason ?? seen.knobs.preparation.command;
    this.#traffic(seen.traffic);
  }

  #group(title, ...children) {
    return el("fieldset", {}, el("legend", {}, title), ...children);
  }

  #button(name, text, act, kind = "") {
    const button = el("button", { type: "button", class: kind, "data-knob": name, onclick: act }, text);
    this.buttons.set(name, button);
    return button;
  }

  #orders() {
    return el("div", { class: "row" }, ...KINDS.map(([kind, text]) =>
      this.#button(kind, text, () => this.#place({ kind }), kind === "poisoned" ? "bad" : kind === "normal" ? "main" : "")));
  }

  #stream(about) {
    const shown = el("output", {}, "0/s");
    this.slider = el("input", { type: "range", id: "per-s", min: 0, max: about.max_per_s, step: 5, value: 0 });
    this.slider.addEventListener("input", () => (shown.textContent = `${this.slider.value}/s`));
    this.slider.addEventListener("change", () => this.#act("stream", { per_s: Number(this.slider.value) }));
    this.shown = shown;
    return el("div", { class: "row stream" }, el("label", { for: "per-s" }, "A stream"), this.slider, shown,
      this.#button("burst", "Burst of 300", () => this.#act("burst", { count: 300 })));
  }

  #form(menu) {
    const lines = menu.map((item) => {
      const box = el("input", { type: "number", min: 0, max: 50, value: 0, id: `sku-${item.sku}`, "data-sku": item.sku });
      return el("li", {}, el("label", { for: box.id }, item.name, el("small", {}, ` ${(item.unit_price_cents / 100).toFixed(2)} ${item.currency}`)), box);
    });
    const customer = el("input", { id: "customer", value: "ada", maxlength: 64, required: true });
    const note = el("input", { id: "note", maxlength: 280, placeholder: "oat milk, please" });
    const express = el("input", { type: "checkbox", id: "express" });
    const form = el("form", { class: "order-form" },
      el("div", { class: "pair" }, el("label", { for: "customer" }, "Customer"), customer),
      el("ul", {}, ...lines),
      el("div", { class: "pair" }, el("label", { for: "note" }, "Note"), note),
      el("div", { class: "row" }, el("label", { for: "express" }, express, " express"), el("button", { class: "main" }, "Place it")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = [...form.querySelectorAll("[data-sku]")].filter((box) => Number(box.value) > 0);
      const order = { customer_id: customer.value, lines: wanted.map((box) => ({ sku: box.dataset.sku, quantity: Number(box.value) })) };
      if (note.value) order.note = note.value;
      if (express.checked) order.priority = "express";
      this.#place({ kind: express.checked ? "express" : "normal", order });
    });
    return el("details", {}, el("summary", {}, "From the menu"), form);
  }

  #preparation() {
    this.preparation = el("select", { id: "preparation" }, ...PREPARATIONS_MS.map((ms) => el("option", { value: ms }, ms ? `${ms} ms more` : "as it is")));
    this.preparation.addEventListener("change", () => this.#act("preparation", { milliseconds: Number(this.preparation.value) }));
    return el("div", { class: "pair" }, el("label", { for: "preparation" }, "An order takes"), this.preparation);
  }

  #dead(queue) {
    return el("div", { class: "row dead-row" }, el("span", {}, queue),
      this.#button(`${queue}.redrive`, "Redrive", () => this.#act("redrive", { queue })),
      this.#button(`${queue}.purge`, "Purge", () => this.#act("purge", { queue }), "bad"));
  }

  #workers(workers) {
    const names = workers.map((each) => each.name).join();
    if (names !== this.names) {
      this.names = names;
      this.dots = new Map();
      this.workers.replaceChildren(...workers.map((worker) => {
        const dot = el("span", { class: "dot" });
        this.dots.set(worker.name, dot);
        const act = (action) => this.#button(`${worker.name}.${action}`, action, () => this.#act("worker", { name: worker.name, action }), action === "kill" ? "bad" : "");
        return el("div", { class: "row worker-row", role: "group", "aria-label": worker.name }, el("span", {}, dot, ` ${worker.name}`),
          ...["stop", "start", "freeze", "thaw", "kill"].map(act));
      }));
    }
    for (const worker of workers) this.dots.get(worker.name).className = `dot ${worker.state}`;
  }

  #traffic(traffic) {
    if (document.activeElement !== this.slider) {
      this.slider.value = traffic.per_s;
      this.shown.textContent = `${traffic.per_s}/s`;
    }
    const failed = traffic.failed ? `, ${traffic.failed} not (${traffic.last_failure})` : "";
    this.sent.textContent = `${traffic.accepted.toLocaleString("en")} accepted from here${failed}`;
    const ids = traffic.recent.slice(0, 6);
    const key = ids.map((each) => each.order_id).join();
    if (key === this.recentKey) return;
    this.recentKey = key;
    this.recent.replaceChildren(...(ids.length ? [el("span", { class: "note" }, "Follow: ")] : []), ...ids.map((each) =>
      el("button", { type: "button", class: "chip", title: `Follow ${each.order_id}`, onclick: () => this.onOrder(each.order_id) }, `${each.order_id.slice(0, 8)} ${each.kind}`)));
  }

  async #place(body) {
    const done = await this.#act("place", body);
    if (done) this.onOrder(done.said, { quietly: true });
  }

  async #act(action, body) {
    try {
      const done = await post(`/api/do/${action}`, body);
      this.last.replaceChildren(el("p", {}, action === "place" ? `Accepted: ${done.said}` : done.said), copyable(done.command));
      toast(action === "place" ? `Accepted: ${done.said.slice(0, 8)} …` : done.said);
      return done;
    } catch (error) {
      toast(error.message, { bad: true });
      return null;
    }
  }
}
