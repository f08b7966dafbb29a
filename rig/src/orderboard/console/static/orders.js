// Placing orders: one of a kind, one from the menu, a burst, a stream; and the recent ones, to follow.

import { count, el } from "./dom.js";

const KINDS = [
  ["normal", "One order"], ["express", "Express"], ["large", "Large"], ["duplicate", "Sent twice"],
  ["cancel", "Cancelled"], ["flaky", "Flaky"], ["slow", "Slow"], ["poison", "Poisoned"],
];
const SHOWN = 4;

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
    if (document.activeElement !== this.slider) this.#showRate(traffic.per_s);
    const failed = traffic.failed ? `, ${count(traffic.failed)} failed (${traffic.last_failure})` : "";
    this.sent.textContent = `${count(traffic.accepted)} accepted from this page${failed}`;
    const shown = traffic.recent.slice(0, SHOWN);
    const key = shown.map((each) => each.order_id).join();
    if (key === this.recentKey || this.recent.contains(document.activeElement) || this.recent.matches(":hover")) return;
    this.recentKey = key;
    this.recent.replaceChildren(el("span", { class: "note" }, shown.length ? "Follow: " : "Recent orders appear here."),
      ...shown.map(({ kind, order_id }) => el("button", {
        type: "button", class: "chip", "aria-label": `Follow ${kind} order ${order_id}`, onclick: () => this.onOrder(order_id),
      }, `${order_id.slice(0, 8)} ${kind}`)));
  }

  #kinds() {
    return el("div", { class: "row kinds" }, ...KINDS.map(([kind, text]) =>
      this.buttons.make(kind, text, () => this.#place({ kind }), { poison: "bad", normal: "main" }[kind])));
  }

  #stream(about) {
    this.slider = el("input", { type: "range", id: "per-s", "aria-label": "Orders a second", min: 0, max: about.max_per_s, step: 5, value: 0 });
    this.rate = el("output", { for: "per-s" }, "0/s");
    this.buttons.add("stream", this.slider);
    this.slider.addEventListener("input", () => this.#showRate(Number(this.slider.value)));
    this.slider.addEventListener("change", () => this.act("stream", { per_s: Number(this.slider.value) }, { doing: "Changing the stream" }));
    return el("div", { class: "row stream" }, el("label", { for: "per-s" }, "Stream"), this.slider, this.rate,
      this.buttons.make("burst", `Burst of ${about.burst}`, () => this.act("burst", { count: about.burst }, { doing: "Sending a burst" })));
  }

  #showRate(perS) {
    this.slider.value = perS;
    this.slider.setAttribute("aria-valuetext", `${perS} orders a second`);
    this.rate.textContent = `${perS}/s`;
  }

  #form(menu) {
    const lines = menu.map(({ sku, name, unit_price_cents, currency }) => el("li", {},
      el("label", { for: `sku-${sku}` }, name, el("small", {}, ` ${(unit_price_cents / 100).toFixed(2)} ${currency}`)),
      el("input", { type: "number", min: 0, max: 50, value: 0, id: `sku-${sku}`, "data-sku": sku })));
    const customer = el("input", { id: "customer", value: "ada", maxlength: 64, required: true });
    const note = el("input", { id: "note", maxlength: 280, placeholder: "oat milk, please" });
    const express = el("input", { type: "checkbox", id: "express" });
    const form = el("form", { class: "order-form" },
      el("div", { class: "pair" }, el("label", { for: "customer" }, "Customer"), customer),
      el("ul", {}, ...lines),
      el("div", { class: "pair" }, el("label", { for: "note" }, "Note"), note),
      el("div", { class: "row" }, el("label", { for: "express" }, express, " express"), el("button", { class: "main" }, "Place the order")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = [...form.querySelectorAll("[data-sku]")].filter((box) => Number(box.value) > 0);
      const order = { customer_id: customer.value, lines: chosen.map((box) => ({ sku: box.dataset.sku, quantity: Number(box.value) })) };
      if (note.value) order.note = note.value;
      if (express.checked) order.priority = "express";
      this.#place({ kind: express.checked ? "express" : "normal", order });
    });
    return el("details", {}, el("summary", {}, "From the menu"), form);
  }

  async #place(body) {
    const done = await this.act("place", body, { doing: "Placing the order", control: body.kind, text: (orderId) => `Accepted: ${orderId}` });
    if (done) this.onOrder(done.message, { quietly: true });
  }
}
