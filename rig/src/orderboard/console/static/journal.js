// The journal of localbus: what happened to messages, live; of a queue, of an order, or of one message.

import { el, get } from "./dom.js";

const QUEUES = ["work", "work-dlq", "express", "express-dlq", "alerts", "alerts-dlq", "inbox", "inbox-dlq", "undelivered"];
const AGAIN_MS = 1000;

export class Journal {
  constructor(place, isShown) {
    this.place = place;
    this.isShown = isShown;
    this.prefix = "orderboard";
    this.queue = el("select", { id: "journal-queue" }, el("option", { value: "" }, "everything"), ...QUEUES.map((name) => el("option", { value: name }, name)));
    this.id = el("input", { id: "journal-id", placeholder: "an order's or a message's id", spellcheck: "false", size: 38, autocomplete: "off" });
    this.pause = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.#paused(this.pause.getAttribute("aria-pressed") !== "true") }, "Pause");
    this.said = el("p", { class: "note" });
    this.rows = el("tbody");
    const head = el("tr", {}, ...["time (UTC)", "where", "what", "message"].map((name) => el("th", { scope: "col" }, name)));
    const form = el("form", { class: "row" }, el("label", { for: "journal-queue" }, "Of"), this.queue, el("label", { for: "journal-id" }, "or"), this.id, el("button", { class: "main" }, "Show"), this.pause);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#ask({ id: this.id.value.trim().toLowerCase() }); });
    this.queue.addEventListener("change", () => this.#ask({ queue: this.queue.value }));
    place.append(form, this.said, el("div", { class: "entries", tabindex: 0, role: "region", "aria-label": "Entries" }, el("table", {}, el("thead", {}, head), this.rows)));
    this.wanted = {};
    setInterval(() => this.look(), AGAIN_MS);
  }

  // Which queue names the system has: they begin with the stack's prefix.
  update(seen) {
    this.prefix = seen.queues.work.name.replace(/-work$/, "");
  }

  about(id) {
    this.#ask({ id });
  }

  async look() {
    if (!this.isShown() || document.hidden || this.asking || this.pause.getAttribute("aria-pressed") === "true") return;
    this.asking = true;
    const wanted = this.wanted;
    try {
      const found = await get(`/api/journal?${new URLSearchParams(this.#query(wanted))}`);
      if (wanted === this.wanted) this.#show(found);
    } catch (error) {
      this.said.textContent = error.message;
    } finally {
      this.asking = false;
    }
  }

  #ask(wanted) {
    this.wanted = wanted;
    this.id.value = wanted.id ?? "";
    this.queue.value = wanted.queue ?? "";
    this.key = "";
    this.#paused(false);
    this.look();
  }

  #query({ id, queue }) {
    if (queue) return { queue: `${this.prefix}-${queue}` };
    return id ? { id } : {};
  }

  #show(found) {
    const key = `${found.why_not}${found.entries.length}${found.entries[0]?.number}${found.entries.at(-1)?.number}`;
    if (key === this.key) return;
    this.key = key;
    const newest = found.entries.length === 200 ? "The last 200 entries" : `${found.entries.length} entries`;
    this.said.textContent = found.why_not ?? (found.entries.length ? `${newest}, newest first.` : "Nothing happened yet.");
    this.rows.replaceChildren(...found.entries.map((entry) => this.#row(entry)));
  }

  #row(entry) {
    const details = Object.entries(entry.details).map(([name, value]) => el("span", {}, el("b", {}, name), ` ${value}`));
    const message = entry.message_id ? el("button", { type: "button", class: "chip", "aria-label": `Only message ${entry.message_id}`, onclick: () => this.#ask({ id: entry.message_id }) }, entry.message_id.slice(0, 8)) : "";
    return el("tr", { class: entry.tone }, el("td", {}, new Date(entry.at_s * 1000).toISOString().slice(11, 23)), el("td", {}, entry.who),
      el("td", {}, entry.title, details.length ? el("div", { class: "details" }, ...details) : null), el("td", {}, message));
  }

  #paused(paused) {
    this.pause.setAttribute("aria-pressed", String(paused));
    this.pause.textContent = paused ? "Go on" : "Pause";
  }
}
