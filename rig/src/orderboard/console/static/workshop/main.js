// The page of the workshop: the list of exercises with the quiz at its end, and the chosen one. Without a choice it
// shows the open one.

import { el } from "../dom.js";
import "../present/mode.js";
import "../theme.js";
import { Exercise } from "./exercise.js";
import { Join } from "./join.js";
import { Progress } from "./progress.js";
import { Quiz } from "./quiz.js";

const SIGNS = { solved: "✓", skipped: "–", open: "○", "not opened": "" };
const byId = (id) => document.getElementById(id);
let known = { current: null, wall: null, exercises: [], quiz: null };

const chosen = () => {
  const number = Number(location.hash.slice(1)) || known.current;
  return known.exercises.find((each) => each.number === number) ?? known.exercises[0];
};

const changed = () => progress.read();
const exercise = new Exercise(byId("exercise"), changed);
const quiz = new Quiz(byId("quiz"), changed);
const join = new Join(byId("wall"), changed);

function show() {
  const shown = chosen();
  if (!shown) return;
  const asks = location.hash === "#quiz";
  byId("exercises").replaceChildren(...[...known.exercises.map(({ number, title, minutes, status }) =>
    el("li", {}, el("a", { href: `#${number}`, "aria-current": !asks && number === shown.number ? "true" : null },
      `${number}. ${title}`, el("span", { class: `sign ${status}` }, el("span", { "aria-hidden": "true" }, number === known.current && status === "open" ? "●" : SIGNS[status] || `${minutes} min`), el("span", { class: "unseen" }, status))))),
    el("li", {}, el("a", { href: "#quiz", "aria-current": asks ? "true" : null }, "Quiz", el("span", { class: "sign" }, known.quiz.answered ? `${known.quiz.right} of ${known.quiz.answered} right` : `${known.quiz.of} questions`)))]);
  const solved = known.exercises.filter((each) => each.status === "solved").length;
  byId("solved").textContent = `${solved} of ${known.exercises.length} solved`;
  join.show(known.wall, known.sent);
  byId("exercise").hidden = asks;
  byId("quiz").hidden = !asks;
  if (asks) quiz.show(known.quiz);
  else exercise.show(shown, known.current);
}

const progress = new Progress(
  (found) => { known = found; show(); },
  (message) => { byId("trouble").hidden = !message; byId("trouble").textContent = message ?? ""; },
);
addEventListener("hashchange", show);
