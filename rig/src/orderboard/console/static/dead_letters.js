// Dead letters: redrive them, or purge them, which asks first.

import { count, el, QUEUES, QUEUE_NOTES } from "./dom.js";

const messages = (number) => `${count(number)} ${number === 1 ? "message" : "messages"}`;

export class DeadLetters {
  constructor(buttons, act) {
    Object.assign(this, { buttons, act });
    this.cells = new Map();
    this.parts = QUEUES.map((queue) => this.#row(queue));
  }

  update(queues) {
    for (const [name, cell] of this.cells) {
      const queue = queues[name];
      const dead = queue.dlq_name === null ? queue.waiting : queue.dlq;
      cell.dead = dead;
      cell.count.textContent = count(dead);
      cell.count.classList.toggle("some", dead > 0);
    }
  }

  #row(queue) {
    const cell = { count: el("span", { class: "dead-count" }, "…") };
    this.cells.set(queue, cell);
    const button = (name, text, press, kind = "") => {
      const made = this.buttons.make(`${queue}.${name}`, text, press, kind);
      made.setAttribute("aria-label", `${text} the dead letters of ${queue}`);
      return made;
    };
    const purge = button("purge", "Purge", () => this.#ask(queue, row, cell), "bad");
    const row = el("div", { class: "row dead-row" }, el("span", { title: QUEUE_NOTES[queue] }, queue), cell.count,
      button("redrive", "Redrive", () => this.act("redrive", { queue }, { doing: `Moving the dead letters of ${queue} back`, control: "queue.redrive" })), purge);
    return row;
  }

  #ask(queue, row, cell) {
    const shown = [...row.children];
    const close = () => { row.replaceChildren(...shown); row.removeEventListener("keydown", escape); shown.at(-1).focus(); };
    const escape = (event) => { if (event.key === "Escape") close(); };
    const purge = () => { close(); this.act("purge", { queue }, { doing: `Deleting the dead letters of ${queue}`, control: "queue.purge" }); };
    const keep = el("button", { type: "button", onclick: close }, "Keep");
    row.replaceChildren(
      el("span", { class: "question", role: "alert" }, `Delete ${messages(cell.dead)} of ${queue}?`),
      el("button", { type: "button", class: "bad", "data-confirm": queue, onclick: purge }, "Delete"), keep);
    row.addEventListener("keydown", escape);
    keep.focus();
  }
}
