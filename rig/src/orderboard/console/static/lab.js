// The page of the lab: lists the experiments, runs one, and draws what each party did.

import { el, get } from "./dom.js";
import { follow } from "./stream.js";
import "./present/mode.js";
import "./theme.js";

const FORMS = { timeline: "Timeline", boto3: "Python", cli: "AWS CLI" };
const SIGNS = { reproduced: "✓", differs: "✗", "cannot occur here": "–" };
const outcomes = {};
let known = { areas: {}, experiments: [] };

const shown = () => known.experiments.find((each) => each.name === location.hash.slice(1)) ?? known.experiments[0];

function list() {
  const wanted = document.getElementById("lab-filter").value.trim().toLowerCase();
  const current = shown()?.name;
  const matches = ({ name, title, claim }) => `${name} ${title} ${claim}`.toLowerCase().includes(wanted);
  const parts = Object.entries(known.areas).map(([area, title]) => {
    const found = known.experiments.filter((each) => each.area === area && matches(each));
    const links = found.map((each) =>
      el("a", { href: `#${each.name}`, "aria-current": each.name === current ? "true" : null },
        each.title, el("span", { class: "sign" }, SIGNS[outcomes[each.name]] ?? "")));
    return found.length ? el("section", {}, el("h2", {}, title), ...links) : null;
  });
  document.getElementById("lab-names").replaceChildren(...parts.filter(Boolean));
}

function show() {
  const experiment = shown();
  if (!experiment) return;
  const body = el("div", { id: "lab-body" });
  const run = el("button", { type: "button", class: "main", id: "run", onclick: () => start(experiment, body, run) }, "Run it");
  const tabs = Object.entries(FORMS).slice(1).map(([form, title]) =>
    el("button", { type: "button", "data-form": form, onclick: () => program(experiment, form, body) }, title));
  document.getElementById("experiment").replaceChildren(
    el("h2", {}, experiment.title),
    el("p", { class: "claim" }, experiment.claim),
    el("p", { class: "note" }, el("a", { href: experiment.source, rel: "noreferrer", target: "_blank" }, "AWS's page"),
      `, ${experiment.name}, in a terminal: `, el("code", {}, `orderboard lab run ${experiment.name}`)),
    el("div", { class: "row" }, run, el("span", { class: "note" }, "as a program to keep:"), ...tabs),
    body,
  );
  list();
}

async function program(experiment, form, body) {
  const { text } = await get(`/api/lab/${experiment.name}/${form}`).catch(({ message }) => ({ text: message }));
  const copy = el("button", { type: "button", class: "quiet", onclick: () => navigator.clipboard.writeText(text) }, "Copy");
  body.replaceChildren(copy, el("pre", { class: "program" }, text));
}

async function start(experiment, body, button) {
  button.disabled = true;
  button.textContent = "Running …";
  const lanes = el("div", { class: "lanes" }, el("span", { class: "lane-head" }, ""),
    ...experiment.parties.map((name) => el("span", { class: "lane-head" }, name)));
  lanes.style.setProperty("--lanes", Math.max(1, experiment.parties.length));
  body.replaceChildren(lanes);
  try {
    await follow("/api/lab/run", { name: experiment.name }, (line) => take(line, experiment, lanes, body));
  } catch (error) {
    body.append(el("p", { class: "outcome bad" }, error.message));
  }
  button.disabled = false;
  button.textContent = "Run it again";
  list();
}

function take({ moment, result, error }, experiment, lanes, body) {
  if (moment) lanes.append(...cells(moment, experiment));
  if (error) body.append(el("p", { class: "outcome bad" }, error));
  if (!result) return;
  outcomes[experiment.name] = result.outcome;
  const style = { reproduced: "good", differs: "bad" }[result.outcome] ?? "unable";
  body.append(
    el("p", { class: `outcome ${style}` }, `${SIGNS[result.outcome] ?? ""} ${result.sentence}`),
    el("div", { class: "means" }, el("h3", {}, "What this means for your code"), el("p", {}, experiment.means)),
  );
}

function cells({ at_s, kind, party, text, detail }, experiment) {
  const wide = (style, content, at = "") => [el("span", { class: "at" }, at), el("span", { class: `wide ${style}` }, content)];
  const at = `${at_s.toFixed(1)} s`;
  const lane = experiment.parties.indexOf(party);
  switch (kind) {
    case "step": return wide("say", text);
    case "wait": return wide("time-passes", text, at);
    case "check": return wide(detail === true || detail?.passed ? "good" : "bad", `${detail === true || detail?.passed ? "✓" : "✗"} ${text}`);
    case "journal": return wide("engine", `${party}: ${text}`);
    case "picture": return [el("span", { class: "at" }, ""), el("pre", { class: "wide picture" }, text)];
    case "engine": return wide("engine", text, at);
    default:
  }
  if (lane < 0) return wide("you", party === "you" || !party ? text : `${party}: ${text}`, at);
  const gaps = (number) => Array.from({ length: number }, () => el("span", { class: "gap-cell" }));
  return [el("span", { class: "at" }, at), ...gaps(lane), el("span", { class: "did", "data-party": party }, text), ...gaps(experiment.parties.length - lane - 1)];
}

document.getElementById("lab-filter").addEventListener("input", list);
addEventListener("hashchange", show);
try {
  known = await get("/api/lab");
  show();
} catch (error) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = error.message;
  trouble.hidden = false;
}
