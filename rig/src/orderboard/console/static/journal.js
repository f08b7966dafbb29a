// The journal of localbus: what happened to messages of a queue, of an order, or to a single one.

import { ALL_QUEUES, details, el, get, select, time } from "./dom.js";

const AGAIN_MS = 1000;
const SHOWN = 200;

export class Journal {
  constructor(place, isShown) {
    this.isShown = isShown;
    this.prefix = "orderboard";
    this.queue = select("journal-queue", null, ["", ...ALL_QUEUES], { "": "everything" });
    this.id = el("input", { id: "journal-id", placeholder: "order id or message id", spellcheck: "false", size: 38, autocomplete: "off" });
    this.pause = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.#setPaused(!this.#paused()) }, "Pause");
    this.note = el("p", { class: "note" });
    this.rows = el("tbody");
    const head = el("tr", {}, ...["time (UTC)", "where", "what", "message"].map((name) => el("th", { scope: "col" }, name)));
    const form = el("form", { class: "row" }, el("label", { for: "journal-queue" }, "Queue"), this.queue, el("label", { for: "journal-id" }, "or"), this.id, el("button", { class: "main" }, "Show"), this.pause);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.show({ id: this.id.value.trim().toLowerCase() }); });
    this.queue.addEventListener("change", () => this.show({ queue: this.queue.value }));
    place.append(form, this.note, el("div", { class: "entries", tabindex: 0, role: "region", "aria-label": "Entries" }, el("table", {}, el("thead", {}, head), this.rows)));
    this.wanted = {};
    setInterval(() => this.read(), AGAIN_MS);
  }

  // Queue names begin with the stack's prefix.
  update(snapshot) {
    this.prefix = snapshot.queues.work.name.replace(/-work$/, "");
  }

  show(wanted) {
    this.wanted = wanted;
    this.id.value = wanted.id ?? "";
    this.queue.value = wanted.queue ?? "";
    this.key = "";
    this.#setPaused(false);
    this.read();
  }

  async read() {
    if (!this.isShown() || document.hidden || this.reading || this.#paused()) return;
    this.reading = true;
    const { wanted } = this;
    const query = wanted.queue ? { queue: `${this.prefix}-${wanted.queue}` } : wanted.id ? { id: wanted.id } : {};
    try {
      const found = await get(`/api/journal?${new URLSearchParams(query)}`);
      if (wanted === this.wanted) this.#fill(found);
    } catch (error) {
      this.note.textContent = error.message;
    } finally {
      this.reading = false;
    }
  }

  #fill({ entries, why_not }) {
    const key = `${why_not}${entries.length}${entries[0]?.number}${entries.at(-1)?.number}`;
    if (key === this.key) return;
    this.key = key;
    const newest = entries.length === SHOWN ? `The last ${SHOWN} entries` : `${entries.length} entries`;
    this.note.textContent = why_not ?? (entries.length ? `${newest}, newest first.` : "No entries yet.");
    this.rows.replaceChildren(...entries.map((entry) => this.#row(entry)));
  }

  #row(entry) {
    const found = details(entry.details);
    const message = entry.message_id ? el("button", { type: "button", class: "chip", "aria-label": `Only message ${entry.message_id}`, onclick: () => this.show({ id: entry.message_id }) }, entry.message_id.slice(0, 8)) : "";
    return el("tr", { class: entry.tone }, el("td", {}, time(entry.at_s)), el("td", {}, entry.who),
      el("td", {}, entry.title, found.length ? el("div", { class: "details" }, ...found) : null), el("td", {}, message));
  }

  #paused() {
    return this.pause.getAttribute("aria-pressed") === "true";
  }

  #setPaused(paused) {
    this.pause.setAttribute("aria-pressed", String(paused));
    this.pause.textContent = paused ? "Resume" : "Pause";
  }
}
