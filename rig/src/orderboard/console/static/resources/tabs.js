// What can be done with one resource. Each tab has a title, a panel, and may read when it is shown and while it is.

import { age, count, details, el, get, post, time } from "../dom.js";
import { commands, entriesTable, failed, pretty } from "./format.js";

const query = (path, values) => get(`/api/resources/${path}?${new URLSearchParams(values)}`);

class Tab {
  constructor(row, page) {
    Object.assign(this, { arn: row.arn, kind: row.kind, page });
    this.panel = el("div");
  }

  get why() {
    return this.page.snapshot().why_no_journal;
  }
}

export class Messages extends Tab {
  title = "Messages";

  constructor(row, page) {
    super(row, page);
    this.note = el("p", { class: "note", role: "status" });
    this.list = el("div", { class: "messages" });
    this.commands = el("div");
    this.panel.append(el("div", { class: "row" }, el("button", { type: "button", class: "main", onclick: () => this.shown() }, "Peek"), el("span", { class: "note" }, "Peeking does not receive, hide or count messages.")), this.note, this.list, this.commands);
  }

  async shown() {
    try {
      const { messages, why_not, commands: lines } = await query("messages", { arn: this.arn });
      const held = this.page.row().counts;
      const all = (held.visible ?? 0) + (held.in_flight ?? 0) + (held.delayed ?? 0);
      this.note.textContent = why_not ?? (messages.length === 0 ? "The queue is empty." : `${messages.length === 1 ? "One message" : `${messages.length} messages`}${all > messages.length ? ` of ${count(all)}` : ""}.`);
      this.list.replaceChildren(...messages.map((message, index) => this.#message(message, index === 0)));
      this.commands.replaceChildren(...commands(lines ?? []));
    } catch (error) {
      failed(this.list, error);
    }
  }

  #message({ message_id, body, characters, age_s, receive_count, state, attributes }, open) {
    const times = { null: "receive count unknown", 0: "never received", 1: "received once" };
    const facts = [age_s === null ? "age unknown" : `${age(age_s)} old`, times[receive_count] ?? `received ${receive_count} times`, state];
    const whole = characters <= body.length;
    const shown = el("pre", {}, whole ? pretty(body) : body);
    const more = whole ? null : el("button", { type: "button", onclick: () => this.#all(message_id, shown, more) }, `Show all ${count(characters)} characters`);
    return el("details", { open }, el("summary", {}, el("span", {}, facts.filter(Boolean).join(" · "))),
      el("p", { class: "details" }, ...details({ message_id, ...attributes })), shown,
      el("div", { class: "row" }, more, el("button", { type: "button", onclick: () => this.page.onMessage(message_id) }, "Its journal")));
  }

  async #all(message_id, shown, button) {
    try {
      const { messages } = await query("messages", { arn: this.arn, message_id });
      if (!messages.length) throw new Error("It is no longer in the queue.");
      shown.textContent = pretty(messages[0].body);
      button.remove();
    } catch (error) {
      button.textContent = error.message;
    }
  }
}

// Sends to a queue, publishes to a topic, or puts an event on a bus. The commands are those of what the form holds.
export class Sending extends Tab {
  constructor(row, page) {
    super(row, page);
    const { kind } = row;
    this.title = { queue: "Send", topic: "Publish", bus: "Put an event" }[kind];
    this.action = { queue: "send", topic: "publish", bus: "put-event" }[kind];
    const field = (name, label, given = {}) => el("input", { id: `send-${name}`, name, spellcheck: "false", autocomplete: "off", ...given });
    const fifo = row.name.endsWith(".fifo");
    this.fields = kind === "bus"
      ? [["source", "Source", field("source", "", { value: "my.app" })], ["detail_type", "Detail type", field("detail_type", "", { value: "test" })]]
      : [...(kind === "topic" ? [["subject", "Subject", field("subject")]] : [["delay_s", "Delay in seconds", field("delay_s", "", { type: "number", min: 0, max: 900, disabled: fifo, placeholder: fifo ? "FIFO queues delay as a whole" : "the queue's" })]]),
        ["group", "Message group", field("group", "", { placeholder: fifo ? "needed" : "optional" })], ["deduplication_id", "Deduplication id", field("deduplication_id", "", { disabled: !fifo, placeholder: fifo ? "needed without content-based deduplication" : "FIFO only" })]];
    this.body = el("textarea", { id: "send-body", rows: 6, spellcheck: "false" });
    this.body.value = kind === "bus" ? '{\n  "total": 450\n}' : "hello";
    this.attributes = el("textarea", { id: "send-attributes", rows: 2, spellcheck: "false", placeholder: "priority=express\ntotal:Number=450" });
    this.result = el("div", { class: "result", role: "status" });
    this.commands = el("div", { class: "commands" });
    const form = el("form", {},
      el("label", { for: "send-body" }, kind === "bus" ? "Detail (a JSON object)" : "Body"), this.body,
      ...(kind === "bus" ? [] : [el("label", { for: "send-attributes" }, "Attributes, one a line: NAME=VALUE or NAME:TYPE=VALUE"), this.attributes]),
      el("div", { class: "fields" }, ...this.fields.map(([name, label, input]) => el("label", { for: `send-${name}` }, label, input))),
      el("button", { class: "main" }, this.title));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#do(true); });
    form.addEventListener("input", () => { clearTimeout(this.soon); this.soon = setTimeout(() => this.#do(false), 300); });
    this.panel.append(form, this.result, this.commands);
  }

  shown() {
    this.#do(false);
  }

  #values() {
    const given = Object.fromEntries(this.fields.map(([name, , input]) => [name, input.value]));
    if (this.kind === "bus") return { arn: this.arn, detail: this.body.value, ...given };
    const { delay_s, ...texts } = given;
    return { arn: this.arn, body: this.body.value, attributes: this.attributes.value.split("\n"), ...texts, ...(delay_s ? { delay_s: Number(delay_s) } : {}) };
  }

  async #do(run) {
    try {
      const done = await post(`/api/resources/do/${this.action}`, { ...this.#values(), run });
      this.commands.replaceChildren(...commands(done.commands));
      if (!run) return this.result.replaceChildren(...(this.result.querySelector(".bad-text") ? [] : this.result.childNodes));
      this.result.replaceChildren(el("p", {}, done.message, " "), el("button", { type: "button", onclick: () => this.page.onMessage(done.message_id) }, "Where did it go?"));
    } catch (error) {
      if (run || this.result.querySelector(".bad-text")) failed(this.result, error);
    }
  }
}

export class JournalTab extends Tab {
  title = "Journal";

  shown() {
    this.tick();
  }

  async tick() {
    if (this.why) return this.panel.replaceChildren(el("p", { class: "note" }, this.why));
    try {
      const { entries, commands: lines } = await query("journal", { arn: this.arn });
      const key = `${entries[0]?.number} ${entries.length}`;
      if (key === this.key) return;
      this.key = key;
      this.panel.replaceChildren(entries.length ? entriesTable(entries, { time, details, onMessage: this.page.onMessage }) : el("p", { class: "note" }, "The journal has nothing about it yet."), ...commands(lines ?? []));
    } catch (error) {
      this.key = "";
      failed(this.panel, error);
    }
  }
}

// How the last deliveries of a topic, bus or rule ended.
export class Deliveries extends Tab {
  title = "Deliveries";

  shown() {
    this.tick();
  }

  async tick() {
    if (this.why) return this.panel.replaceChildren(el("p", { class: "note" }, this.why));
    try {
      const found = await query("deliveries", { arn: this.arn });
      const key = JSON.stringify(found);
      if (key === this.key) return;
      this.key = key;
      this.panel.replaceChildren(...this.#table(found));
    } catch (error) {
      this.key = "";
      failed(this.panel, error);
    }
  }

  #table({ rows, of_last }) {
    if (!rows.length) return [el("p", { class: "note" }, "No delivery yet.")];
    const names = { delivered: "delivered", filtered: "filtered out", withheld: "withheld", retry_scheduled: "to be retried", undelivered: "failed", dead_lettered: "dead letters", dropped: "lost" };
    const line = ({ counts }) => Object.entries(names).filter(([name]) => counts[name]).map(([name, text]) => `${count(counts[name])} ${text}`).join(", ");
    return [el("dl", { class: "links" }, ...rows.flatMap((row) => [
      el("dt", {}, el("button", { type: "button", class: "chip", onclick: () => this.page.onChoose(row.arn) }, row.name)),
      el("dd", {}, line(row), row.last_failure ? el("p", { class: "bad-text" }, row.last_failure) : null)])),
    el("p", { class: "note" }, `Of the last ${count(of_last)} deliveries of the whole engine.`)];
  }
}

export class Matches extends Tab {
  title = "Why did it not match?";

  constructor(row, page) {
    super(row, page);
    const texts = {
      rule: ["Event, entry of PutEvents, or CloudEvents document", '{\n  "source": "my.app",\n  "detail-type": "test",\n  "detail": {}\n}'],
      subscription: row.attributes.FilterPolicyScope === "MessageBody"
        ? ["Message body", "{}"] : ["Attributes of the message", '{\n  "priority": "normal"\n}'],
      mapping: ["Message body, or a record as Lambda gets it", "{}"],
    }[row.kind];
    this.text = el("textarea", { id: "match-text", rows: 8, spellcheck: "false" });
    this.text.value = texts[1];
    this.answers = el("div", { class: "answers", role: "status" });
    this.panel.append(el("label", { for: "match-text" }, texts[0]), this.text,
      el("button", { type: "button", class: "main", onclick: () => this.#explain() }, "Explain"), this.answers);
  }

  async #explain() {
    try {
      const { answers, commands: lines } = await post("/api/resources/matches", { arn: this.arn, text: this.text.value });
      this.answers.replaceChildren(...answers.flatMap((answer) => this.#answer(answer)), ...commands(lines));
    } catch (error) {
      failed(this.answers, error);
    }
  }

  #answer({ name, matched, why, reasons }) {
    const verdict = { true: "match", false: "no match", null: "unknown" }[matched];
    const rows = reasons.map(({ path, found, wanted, matched: fits }) => el("tr", { class: fits ? "good" : "bad" }, el("td", {}, fits ? "✓" : "✗"),
      el("td", {}, path), el("td", {}, found.map((value) => JSON.stringify(value)).join(" and ") || "absent"), el("td", {}, wanted)));
    const head = el("tr", {}, ...["", "field", "found", "wanted"].map((title) => el("th", { scope: "col" }, title)));
    return [el("p", {}, el("strong", {}, name), " ", el("span", { class: `tag ${matched ? "completed" : "plain"}` }, verdict), ` ${why}`),
      rows.length ? el("table", { class: "checks" }, el("thead", {}, head), el("tbody", {}, ...rows)) : null].filter(Boolean);
  }
}
