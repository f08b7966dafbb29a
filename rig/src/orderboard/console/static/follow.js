// Follow an order: its steps in time, asked for again while it is on its way.

import { age, el, get } from "./dom.js";

const AN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AGAIN_MS = 1000;
const QUIET_AFTER = 8; // looks at a final state, in which a late announcement may still come

export class Follow {
  constructor(place, onJournal) {
    this.id = el("input", { id: "order-id", placeholder: "the order's id", spellcheck: "false", size: 38, autocomplete: "off" });
    this.status = el("p", { class: "story-status" });
    this.steps = el("ol", { class: "story" });
    const form = el("form", { class: "row" }, el("label", { for: "order-id" }, "Order"), this.id, el("button", { class: "main" }, "Follow"),
      el("button", { type: "button", onclick: () => this.id.value && onJournal(this.id.value.trim().toLowerCase()) }, "Its journal"));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.follow(this.id.value.trim().toLowerCase()); });
    place.append(form, this.status, this.steps);
    this.status.textContent = "Place an order, or paste the id of one.";
  }

  follow(orderId) {
    clearTimeout(this.timer);
    this.id.value = orderId;
    this.shown = "";
    this.looks = 0;
    this.steps.replaceChildren();
    if (AN_ID.test(orderId)) this.#look(orderId);
    else this.status.textContent = "That is no order id; it has 36 characters.";
  }

  async #look(orderId) {
    try {
      const story = await get(`/api/orders/${encodeURIComponent(orderId)}/story`);
      if (orderId !== this.id.value) return;
      this.#show(story);
      this.looks = ["on its way", "unknown", "cancellation_pending"].includes(story.status) ? 0 : this.looks + 1;
    } catch (error) { // a busy moment, or a console that comes back: the steps so far stay, and it is asked again
      if (orderId !== this.id.value) return;
      this.status.textContent = error.message;
      this.shown = "";
    }
    if (this.looks < QUIET_AFTER) this.timer = setTimeout(() => this.#look(orderId), AGAIN_MS);
  }

  #show(story) {
    const key = JSON.stringify(story);
    if (key === this.shown) return;
    this.shown = key;
    const happened = story.steps.filter((step) => !step.still);
    const took = happened.length > 1 ? ` · ${age(happened.at(-1).at_s - happened[0].at_s)} from first to last` : "";
    const order = story.order?.total_cents ? ` · ${(story.order.total_cents / 100).toFixed(2)} ${story.order.currency} for ${story.order.customer_id}` : "";
    this.status.replaceChildren(el("strong", { class: `tag ${story.status.replaceAll(" ", "-")}` }, story.status), `${order}${took}`,
      ...(story.order?.note ? [el("span", { class: "note" }, ` “${story.order.note}”`)] : []), ...story.unknown.map((each) => el("small", {}, ` ${each}`)));
    this.steps.replaceChildren(...(story.steps.length ? story.steps.map((step) => this.#step(step)) : [el("li", {}, "Nothing is known of it yet.")]));
  }

  #step(step) {
    const time = step.still ? "now" : new Date(step.at_s * 1000).toISOString().slice(11, 23);
    const details = Object.entries(step.details).map(([name, value]) => el("span", {}, el("b", {}, name), ` ${value}`));
    return el("li", { class: step.tone }, el("time", {}, time), el("span", { class: "gap" }, step.gap_s === null ? "" : `+${age(step.gap_s)}`),
      el("div", {}, el("p", {}, el("strong", {}, step.who), ` ${step.title}`), el("p", { class: "details" }, ...details)));
  }
}
