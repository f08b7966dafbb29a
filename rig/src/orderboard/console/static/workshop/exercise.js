// One exercise: its actions, the findings of its last check, hints, solution and text. On the page of the workshop, and
// beside the board.

import { el, get } from "../dom.js";
import { follow } from "../stream.js";
import { text } from "./text.js";

const SIGNS = { solved: "✓ solved", skipped: "skipped", open: "open", "not opened": "not opened yet" };
const ASKS = {
  apply: ["The solution is done in your place. A file that you have changed is kept as NAME.mine.", "Apply it"],
  again: ["The system is put back as deployed, and what you did since the opening no longer counts. Your files stay.", "Open again"],
  reset: ["The progress of this exercise is forgotten, and it is opened as if for the first time. Your files are kept as NAME.mine.", "Reset"],
};
const DOING = { open: "Opening", deploy: "Deploying your files", check: "Checking", apply: "Applying the solution", reset: "Resetting", hint: "Reading", solution: "Reading", skip: "Skipping" };

const minutes = (ms) => `${Math.max(0, Math.floor(ms / 60_000))} min`;

export class Exercise {
  // changed is called after each action.
  constructor(place, changed) {
    this.changed = changed;
    this.title = el("h2", {});
    this.note = el("p", { class: "note" });
    this.row = el("div", { class: "row exercise-actions", role: "group", "aria-label": "Actions" });
    this.status = el("p", { class: "result", role: "status" });
    this.findings = el("ul", { class: "findings", "aria-label": "Findings of the last check" });
    this.help = el("div", { class: "exercise-help" });
    this.body = el("div", { class: "exercise-text" });
    this.buttons = {
      open: this.#button("open", "Open", "main", () => this.#do("open")),
      check: this.#button("check", "Check", "main", () => this.#do("check")),
      deploy: this.#button("deploy", "Deploy my files", "", () => this.#do("deploy")),
      hint: this.#button("hint", "Hint", "", () => this.#do("hint")),
      solution: this.#button("solution", "Solution", "", () => this.#do("solution")),
      apply: this.#button("apply", "Apply the solution", "", () => this.#ask("apply", "apply")),
      skip: this.#button("skip", "Skip", "", () => this.#do("skip")),
      again: this.#button("again", "Open again", "quiet", () => this.#ask("again", "open")),
      reset: this.#button("reset", "Reset", "quiet", () => this.#ask("reset", "reset")),
    };
    this.row.append(...Object.values(this.buttons));
    place.append(this.title, this.note, this.row, this.status, this.findings, this.help, this.body);
    setInterval(() => this.#note(), 10_000); // its minutes
  }

  async show(exercise, current) {
    if (exercise.number !== this.exercise?.number) {
      this.withdraw?.(); // a question about the one before
      this.#say("");
    }
    this.exercise = exercise;
    const { number, title, status, hints, all_hints, findings, solution_seen, deploys } = exercise;
    this.title.textContent = `${number}. ${title}`;
    const here = number === current;
    this.opened = here && exercise.opened_at;
    this.#note();
    const shown = {
      open: !here, check: here, deploy: here && deploys, hint: hints < all_hints, solution: !solution_seen,
      apply: here && solution_seen,
      skip: status === "open" || status === "not opened", again: here, reset: status !== "not opened",
    };
    for (const [name, button] of Object.entries(this.buttons)) button.hidden = !shown[name];
    this.buttons.hint.textContent = hints ? `Hint ${hints + 1} of ${all_hints}` : "Hint";
    this.findings.replaceChildren(...findings.map(({ met, text: said }) =>
      el("li", { class: met ? "good" : "bad" }, el("span", { class: "sign" }, met ? "✓ " : "✗ "), said)));
    await this.#read(`${number} ${hints} ${solution_seen}`);
  }

  // Ask for the texts when others are to be shown.
  async #read(key) {
    if (key === this.key) return;
    this.key = key;
    const found = await get(`/api/workshop/${this.exercise.number}`).catch(({ message }) => ({ message }));
    if (key !== this.key) return; // another exercise is shown by now
    if (found.message) {
      this.key = null;
      return this.#say(found.message, "failed");
    }
    const part = (name, elements) => el("section", { class: "hint" }, el("h3", {}, name), ...text(elements));
    const file = found.files.length ? [el("p", { class: "note" }, "Your file: ", ...found.files.flatMap((each) => [el("code", {}, each), " "]))] : [];
    this.help.replaceChildren(
      ...found.hints.map((each, index) => part(`Hint ${index + 1} of ${this.exercise.all_hints}`, each)),
      ...(found.solution ? [part("Solution", found.solution)] : []));
    this.body.replaceChildren(...file, ...text(found.text));
  }

  #note() {
    if (!this.exercise) return;
    const { minutes: planned, status, minutes_taken, checks } = this.exercise;
    const times = checks === 1 ? "1 check" : `${checks} checks`;
    this.note.textContent = [
      `about ${planned} minutes`, minutes_taken === null ? SIGNS[status] : `${SIGNS[status]} in ${minutes(minutes_taken * 60_000)}`,
      this.opened ? `opened ${minutes(Date.now() - this.opened * 1000)} ago` : null, checks ? times : null,
    ].filter(Boolean).map((each) => each.replaceAll(" ", "\u00a0")).join(" · ");
  }

  #button(name, label, kind, press) {
    return el("button", { type: "button", class: kind, "data-action": name, hidden: true, onclick: () => { if (!this.running) press(); } }, label);
  }

  #say(said, kind = "") {
    this.status.textContent = said;
    this.status.className = `result ${kind}`;
  }

  #ask(name, action) {
    const [question, label] = ASKS[name];
    const asked = el("div", { class: "ask", role: "group", "aria-label": label });
    this.withdraw = () => { asked.remove(); this.row.hidden = false; this.withdraw = null; };
    const close = () => { this.withdraw(); this.buttons[name].focus(); };
    const keep = el("button", { type: "button", onclick: close }, "Cancel");
    asked.append(el("span", { class: "question", role: "alert" }, question),
      el("button", { type: "button", class: "bad", "data-confirm": name, onclick: () => { close(); this.#do(action); } }, label), keep);
    asked.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
    this.row.hidden = true;
    this.row.after(asked);
    keep.focus();
  }

  async #do(action) {
    const { number } = this.exercise;
    let result = ["", ""];
    this.#run(true);
    this.#say(`${DOING[action]} …`, "working");
    try {
      await follow("/api/workshop/do", { number, action }, ({ say, done, error }) => {
        if (say && this.exercise.number === number) this.#say(say, "working");
        if (!say) result = error ? [error, "failed"] : [done, ""];
      });
    } catch ({ message }) {
      result = [message, "failed"];
    }
    this.#run(false);
    if (this.exercise.number === number) this.#say(...result);
    await this.changed();
    if (action === "hint" || action === "solution") this.help.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  #run(running) {
    this.running = running;
    for (const button of Object.values(this.buttons)) button.setAttribute("aria-disabled", String(running));
  }
}
