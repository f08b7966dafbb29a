// The answer to "Why did it not arrive?": where each copy of a message ended, why, what to do, and the entries that show it.

import { copyable, details, el, get, time } from "../dom.js";
import { entriesTable, failed, fixing } from "./format.js";

const WORDS = { arrived: "arrived", waiting: "on its way", dead: "dead letter", stopped: "stopped" };
const TAGS = { arrived: "completed", waiting: "plain", dead: "dead-lettered", stopped: "rejected" };

export class Arrival {
  constructor(form, input, place, onChoose) {
    Object.assign(this, { input, place, onChoose });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.explain(input.value.trim()); });
  }

  async explain(messageId) {
    this.input.value = messageId;
    this.place.scrollIntoView({ block: "nearest" });
    try {
      const found = await get(`/api/resources/arrival?${new URLSearchParams({ message_id: messageId })}`);
      this.place.replaceChildren(...this.#answer(found));
    } catch (error) {
      failed(this.place, error);
    }
  }

  #answer({ summary, endings, entries, notes, commands }) {
    const close = el("button", { type: "button", class: "quiet", onclick: () => this.place.replaceChildren() }, "Close");
    return [
      el("div", { class: "row summary" }, el("p", {}, el("strong", {}, summary)), close),
      el("ol", { class: "endings" }, ...endings.map((ending) => this.#ending(ending, endings.length > 1))),
      ...notes.map((note) => el("p", { class: "note" }, note)),
      entries.length ? el("details", { class: "evidence" }, el("summary", {}, `The journal's ${entries.length} entries`), entriesTable(entries, { time, details })) : null,
      ...(commands ?? []).map((line) => copyable(line)),
    ].filter(Boolean);
  }

  #ending({ verdict, why, fix, command, at, name, evidence }, several) {
    const steps = el("button", { type: "button", class: "chip", onclick: () => this.#mark(evidence) }, evidence.length === 1 ? "1 entry shows it" : `${evidence.length} entries show it`);
    return el("li", {}, el("p", {}, el("span", { class: `tag ${TAGS[verdict]}` }, WORDS[verdict]), el("button", { type: "button", class: "chip", onclick: () => this.onChoose(at) }, name), " ", steps),
      several ? el("p", {}, why) : null, fix ? el("p", { class: "note" }, el("b", {}, "What to do: "), fix) : null, fixing(command));
  }

  #mark(numbers) {
    const evidence = this.place.querySelector(".evidence");
    evidence.open = true;
    const marked = [...evidence.querySelectorAll("tr[data-number]")].filter((row) => row.classList.toggle("marked", numbers.includes(Number(row.dataset.number))));
    marked[0]?.scrollIntoView({ block: "nearest" });
  }
}
