// One order's timeline, read again while the order is on its way.

import { age, details, el, get, time } from "./dom.js";

const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AGAIN_MS = 1000;
const OPEN = ["on its way", "missing", "unknown", "cancellation_pending"]; // may change without a read by hand
const READS_WHEN_FINAL = 8; // an announcement may still follow

export class Timeline {
  constructor(place, buttons, { onJournal, onCancel }) {
    this.id = el("input", { id: "order-id", placeholder: "order id", spellcheck: "false", size: 38, autocomplete: "off" });
    this.status = el("p", { class: "timeline-status" }, "Place an order, or paste an order id.");
    this.steps = el("ol", { class: "timeline" });
    const form = el("form", { class: "row" }, el("label", { for: "order-id" }, "Order"), this.id, el("button", { class: "main" }, "Follow"),
      el("button", { type: "button", onclick: () => this.id.value && onJournal(this.id.value.trim().toLowerCase()) }, "Its journal"),
      buttons.make("cancel-order", "Cancel it", () => this.id.value && onCancel(this.id.value.trim().toLowerCase()), "bad", (command) => command.replace("ORDER_ID", this.id.value)));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.follow(this.id.value.trim().toLowerCase()); });
    place.append(form, this.status, this.steps);
  }

  follow(orderId) {
    clearTimeout(this.timer);
    this.id.value = orderId;
    this.shown = "";
    this.finalReads = 0;
    this.steps.replaceChildren();
    if (ORDER_ID.test(orderId)) this.#read(orderId);
    else this.status.textContent = "Not a valid order id: expected 36 characters.";
  }

  async #read(orderId) {
    try {
      const timeline = await get(`/api/orders/${encodeURIComponent(orderId)}/timeline`);
      if (orderId !== this.id.value) return;
      this.#show(timeline);
      this.finalReads = OPEN.includes(timeline.status) ? 0 : this.finalReads + 1;
    } catch (error) { // the backend is busy or the console restarts: the steps stay, and it is read again
      if (orderId !== this.id.value) return;
      this.status.textContent = error.message;
      this.shown = "";
    }
    if (this.finalReads < READS_WHEN_FINAL) this.timer = setTimeout(() => this.#read(orderId), AGAIN_MS);
  }

  #show(timeline) {
    const key = JSON.stringify(timeline);
    if (key === this.shown) return;
    this.shown = key;
    const { order, steps, status, unknown } = timeline;
    const happened = steps.filter((step) => !step.still);
    const took = happened.length > 1 ? ` · ${age(happened.at(-1).at_s - happened[0].at_s)} from first to last step` : "";
    const total = order?.total_cents ? ` · ${(order.total_cents / 100).toFixed(2)} ${order.currency} for ${order.customer_id}` : "";
    this.status.replaceChildren(el("strong", { class: `tag ${status.replaceAll(" ", "-")}` }, status), `${total}${took}`,
      ...(order?.note ? [el("span", { class: "note" }, ` “${order.note}”`)] : []), ...unknown.map((reason) => el("small", {}, ` ${reason}`)));
    this.steps.replaceChildren(...(steps.length ? steps.map((step) => this.#step(step)) : [el("li", {}, "Nothing is known about this order yet.")]));
  }

  #step(step) {
    return el("li", { class: step.tone }, el("time", {}, step.still ? "now" : time(step.at_s)),
      el("span", { class: "gap" }, step.gap_s === null ? "" : `+${age(step.gap_s)}`),
      el("div", {}, el("p", {}, el("strong", {}, step.who), ` ${step.title}`), el("p", { class: "details" }, ...details(step.details))));
  }
}
