// Placing orders: one of a kind, one from the menu, a burst, a stream; and those that were accepted, to follow.

import { el } from "./dom.js";

const KINDS = [
  ["normal", "One order"], ["express", "Express"], ["large", "Large"], ["twice", "Sent twice"],
  ["cancelled", "Cancelled"], ["poisoned", "Poisoned"],
];
const SHOWN = 6;

export class Orders {
  constructor(buttons, about, { act, onOrder }) {
    this.buttons = buttons;
    this.act = act;
    this.onOrder = onOrder;
    this.recent = el("div", { class: "recent" });
    this.sent = el("p", { class: "note" });
    this.parts = [this.#kinds(), this.#stream(about), this.sent, this.#form(about.menu), this.recent];
  }

  update(traffic) {
    if (document.activeElement !== this.slider) this.#slide(traffic.per_s);
    const failed = traffic.failed ? `, ${traffic.failed.toLocaleString("en")} not (${traffic.last_failure})` : "";
    this.sent.textContent = `${traffic.accepted.toLocaleString("en")} accepted from here${failed}`;
    const shown = traffic.recent.slice(0, SHOWN);
    const key = shown.map((each) => each.order_id).join();
    if (key === this.recentKey || this.recent.contains(document.activeElement) || this.recent.matches(":hover")) return;
    this.recentKey = key;
    this.recent.replaceChildren(el("span", { class: "note" }, shown.length ? "Follow: " : "Orders from here can be followed by a press."),
      ...shown.map((each) => el("button", {
        type: "button", class: "chip", "aria-label": `Follow ${each.kind} order ${each.order_id}`, onclick: () => this.onOrder(each.order_id),
      }, `${each.order_id.slice(0, 8)} ${each.kind}`)));
  }

  #kinds() {
    return el("div", { class: "row" }, ...KINDS.map(([kind, text]) =>
      this.buttons.make(kind, text, () => this.#place({ kind }), kind === "poisoned" ? "bad" : kind === "normal" ? "main" : "")));
  }

  #stream(about) {
    this.slider = el("input", { type: "range", id: "per-s", "aria-label": "A stream of orders", min: 0, max: about.max_per_s, step: 5, value: 0 });
    this.shown = el("output", { for: "per-s" }, "0/s");
    this.buttons.add("stream", this.slider);
    this.slider.addEventListener("input", () => this.#slide(Number(this.slider.value)));
    this.slider.addEventListener("change", () => this.act("stream", { per_s: Number(this.slider.value) }));
    return el("div", { class: "row" }, el("label", { for: "per-s" }, "A stream"), this.slider, this.shown,
      this.buttons.make("burst", `Burst of ${about.burst}`, () => this.act("burst", { count: about.burst })));
  }

  #slide(perS) {
    this.slider.value = perS;
    this.slider.setAttribute("aria-valuetext", `${perS} orders a second`);
    this.shown.textContent = `${perS}/s`;
  }

  #form(menu) {
    const lines = menu.map((item) => {
      const box = el("input", { type: "number", min: 0, max: 50, value: 0, id: `sku-${item.sku}`, "data-sku": item.sku });
      return el("li", {}, el("label", { for: `sku-${item.sku}` }, item.name, el("small", {}, ` ${(item.unit_price_cents / 100).toFixed(2)} ${item.currency}`)), box);
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

  async #place(body) {
    const done = await this.act("place", body, (said) => `Accepted: ${said}`);
    if (done) this.onOrder(done.said, { quietly: true });
  }
}
