// The quiz: all questions below each other, answered by press or by the letters' keys. What was answered is kept.

import { el, get, post } from "../dom.js";

const LETTERS = "abcd";

export class Quiz {
  // changed is called after each answer.
  constructor(place, changed) {
    Object.assign(this, { place, changed });
    this.score = el("p", { class: "note" });
    this.problem = el("p", { class: "result failed", role: "alert" });
    this.questions = el("ol", { class: "questions" });
    this.again = el("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#ask("again", {}) }, "Begin again");
    place.append(el("h2", {}, "Quiz"), this.score, this.problem, this.questions, this.again);
  }

  // Show the score, and read the questions again if it is another one: the terminal may have asked them.
  async show(score) {
    const key = JSON.stringify(score);
    if (key === this.key) return;
    this.key = key;
    this.score.textContent = score.answered
      ? `${score.right} of ${score.answered} right · ${score.of} questions`
      : `${score.of} questions. Press an answer, or type its letter. The lab has an experiment that proves each.`;
    this.again.hidden = !score.answered;
    try {
      this.#draw(await get("/api/workshop/quiz"));
    } catch ({ message }) {
      this.key = null;
      this.problem.textContent = message;
    }
  }

  #draw(questions) {
    const focused = document.activeElement?.closest("[data-question]")?.dataset.question;
    this.problem.textContent = "";
    this.questions.replaceChildren(...questions.map((each) => this.#question(each)));
    if (focused) this.questions.querySelector(`[data-question="${focused}"]`)?.focus({ preventScroll: true });
  }

  #question({ number, text, answers, choice, right, why, proof }) {
    const name = `question-${number}`;
    const sign = (count) => (!choice ? "" : count === right ? "✓" : count === choice ? "✗" : "");
    const answer = (each, index) => el("li", {}, el("button", {
      type: "button", disabled: choice !== undefined, "data-choice": index + 1,
      class: `answer ${{ "✓": "good", "✗": "bad" }[sign(index + 1)] ?? ""}`, onclick: () => this.#answer(number, index + 1),
    }, el("b", {}, LETTERS[index]), el("span", {}, each), el("span", { class: "sign", "aria-hidden": "true" }, sign(index + 1))));
    const said = choice === right ? "Right. " : `Not right: it is ${LETTERS[right - 1]}. `;
    const keys = ({ key, ctrlKey, metaKey, altKey }) => {
      const count = LETTERS.indexOf(key.toLowerCase()) + 1;
      if (key.length === 1 && !ctrlKey && !metaKey && !altKey && choice === undefined && count >= 1 && count <= answers.length) this.#answer(number, count);
    };
    return el("li", { tabindex: -1, "data-question": number, role: "group", "aria-labelledby": name, onkeydown: keys },
      el("p", { id: name, class: "asked" }, text),
      el("ul", { class: "answers" }, ...answers.map(answer)),
      choice === undefined ? null : el("p", { class: "why", role: "status" }, el("b", {}, said), why, " ", el("a", { href: `/lab#${proof}` }, `Prove it: ${proof}`)));
  }

  async #answer(number, choice) {
    await this.#ask("answer", { number, choice });
    const asked = this.questions.querySelector(`[data-question="${number}"]`);
    asked?.focus({ preventScroll: true });
    asked?.scrollIntoView({ block: "nearest" });
  }

  async #ask(action, body) {
    if (this.asking) return;
    this.asking = true;
    try {
      this.#draw(await post(`/api/workshop/quiz/${action}`, body));
    } catch ({ message }) {
      this.problem.textContent = message;
      this.problem.scrollIntoView({ block: "nearest" });
    }
    this.asking = false;
    await this.changed();
  }
}
