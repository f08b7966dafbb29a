// Peek: the messages of a queue as they lie, where the backend can show them without receiving.

import { age, el, get } from "./dom.js";

const QUEUES = ["work", "work.dlq", "express", "express.dlq", "alerts", "alerts.dlq", "inbox", "inbox.dlq", "undelivered"];

export class Peek {
  constructor(place, { onMatch, onOrder, onJournal }) {
    this.onMatch = onMatch;
    this.onOrder = onOrder;
    this.onJournal = onJournal;
    this.choice = el("select", { id: "peek-queue" }, ...QUEUES.map((name) => el("option", { value: name }, name.replace(".", "-"))));
    this.choice.addEventListener("change", () => this.look());
    this.said = el("p", { class: "note", role: "status" }, "Nothing is received, hidden or counted by looking.");
    this.list = el("div", { class: "messages" });
    place.append(el("div", { class: "row" }, el("label", { for: "peek-queue" }, "Queue"), this.choice,
      el("button", { type: "button", class: "main", onclick: () => this.look() }, "Look")), this.said, this.list);
  }

  async look(queue = this.choice.value) {
    this.choice.value = queue;
    try {
      const found = await get(`/api/queues/${queue}/messages`);
      const more = found.count > found.messages.length ? `, the first ${found.messages.length} shown` : "";
      this.said.textContent = found.why_not ?? (found.count === 0 ? `${found.queue} is empty.` : `${found.queue}: ${found.count} ${found.count === 1 ? "message" : "messages"}${more}. Looking takes, hides and counts nothing.`);
      this.list.replaceChildren(...found.messages.map((message, index) => this.#message(message, index === 0)));
    } catch (error) {
      this.said.textContent = error.message;
      this.list.replaceChildren();
    }
  }

  #message(message, open) {
    const text = message.is_json ? JSON.stringify(message.body, null, 2) : message.body;
    const subject = message.is_json ? message.body?.subject ?? message.body?.order_id : undefined;
    const sent = message.age_s === null ? "age unknown" : `${age(message.age_s)} old`;
    const received = message.receive_count === null ? "receives unknown" : `received ${message.receive_count === 0 ? "never" : message.receive_count === 1 ? "once" : `${message.receive_count} times`}`;
    const state = message.visible === null ? "" : message.visible ? "waiting" : "in flight or hidden";
    const type = message.body?.type ?? message.body?.kind ?? "message";
    const attributes = Object.entries(message.attributes).map(([name, value]) => el("span", {}, el("b", {}, name), ` ${value}`));
    return el("details", { open }, el("summary", {}, el("strong", {}, String(type)), subject ? el("span", {}, ` ${String(subject).slice(0, 8)} · `) : " ",
      el("span", {}, [sent, received, state].filter(Boolean).join(" · "))),
      el("p", { class: "details" }, el("span", {}, el("b", {}, "message_id"), ` ${message.message_id}`), ...attributes),
      el("pre", {}, text),
      el("div", { class: "row" },
        subject ? el("button", { type: "button", onclick: () => this.onOrder(String(subject)) }, "Follow the order") : null,
        el("button", { type: "button", onclick: () => this.onJournal(message.message_id) }, "What happened to it?"),
        message.body?.type || message.body?.["detail-type"] ? el("button", { type: "button", onclick: () => this.onMatch(text) }, "Why did it (not) match?") : null));
  }
}
