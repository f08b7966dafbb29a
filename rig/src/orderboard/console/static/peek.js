// Peek: the messages of a queue, where the backend can show them without receiving them.

import { age, ALL_QUEUES, details, el, get, QUEUE_NOTES, select } from "./dom.js";

const HARMLESS = "Peeking does not receive, hide or count messages.";
const purpose = (queue) => QUEUE_NOTES[queue] ?? `Messages of ${queue.replace("-dlq", "")} that were received too often without success.`;

export class Peek {
  constructor(place, { onExplain, onOrder, onJournal }) {
    Object.assign(this, { onExplain, onOrder, onJournal });
    this.queue = select("peek-queue", null, ALL_QUEUES);
    this.queue.addEventListener("change", () => this.read());
    this.purpose = el("p", { class: "purpose" }, purpose(this.queue.value));
    this.note = el("p", { class: "note", role: "status" }, HARMLESS);
    this.list = el("div", { class: "messages" });
    place.append(el("div", { class: "row" }, el("label", { for: "peek-queue" }, "Queue"), this.queue,
      el("button", { type: "button", class: "main", onclick: () => this.read() }, "Peek")), this.purpose, this.note, this.list);
  }

  async read(queue = this.queue.value) {
    this.queue.value = queue;
    this.purpose.textContent = purpose(queue);
    try {
      const found = await get(`/api/queues/${queue.replace("-dlq", ".dlq")}/messages`);
      this.note.textContent = found.why_not ?? this.#summary(found);
      this.list.replaceChildren(...found.messages.map((message, index) => this.#message(message, index === 0)));
    } catch (error) {
      this.note.textContent = error.message;
      this.list.replaceChildren();
    }
  }

  #summary({ queue, count, messages }) {
    if (count === 0) return `${queue} is empty.`;
    const more = count > messages.length ? `, the first ${messages.length} shown` : "";
    return `${queue}: ${count} ${count === 1 ? "message" : "messages"}${more}. ${HARMLESS}`;
  }

  #message(message, open) {
    const { body, is_json, message_id, age_s, receive_count, visible } = message;
    const text = is_json ? JSON.stringify(body, null, 2) : body;
    const subject = is_json ? body?.subject ?? body?.order_id : undefined;
    const times = { null: "receive count unknown", 0: "never received", 1: "received once" };
    const state = { true: "waiting", false: "in flight or hidden" };
    const facts = [age_s === null ? "age unknown" : `${age(age_s)} old`, times[receive_count] ?? `received ${receive_count} times`, state[visible]];
    const button = (label, act) => el("button", { type: "button", onclick: act }, label);
    return el("details", { open },
      el("summary", {}, el("strong", {}, String(body?.type ?? body?.kind ?? "message")), subject ? el("span", {}, ` ${String(subject).slice(0, 8)} · `) : " ",
        el("span", {}, facts.filter(Boolean).join(" · "))),
      el("p", { class: "details" }, ...details({ message_id, ...message.attributes })),
      el("pre", {}, text),
      el("div", { class: "row" },
        subject ? button("Follow the order", () => this.onOrder(String(subject))) : null,
        button("Its journal", () => this.onJournal({ id: message_id })),
        body?.type || body?.["detail-type"] ? button("Explain its routing", () => this.onExplain(text)) : null));
  }
}
