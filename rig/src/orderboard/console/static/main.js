// Wires the page: one stream of looks from the server, shown by the board and the knobs.

import { Board } from "./board.js";
import { get } from "./dom.js";
import { Follow } from "./follow.js";
import { Glance } from "./glance.js";
import { Guide } from "./guide.js";
import { Journal } from "./journal.js";
import { Knobs } from "./knobs.js";
import { Match } from "./match.js";
import { Peek } from "./peek.js";
import { Proof } from "./proof.js";
import { History } from "./spark.js";

const byId = (id) => document.getElementById(id);
const tabs = ["follow", "journal", "peek", "match"];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function choose(name, { focus = false, scroll = false } = {}) {
  for (const each of tabs) {
    const tab = byId(`tab-${each}`);
    tab.setAttribute("aria-selected", each === name);
    tab.tabIndex = each === name ? 0 : -1;
    byId(each).hidden = each !== name;
  }
  if (name === "journal") journal.look();
  if (focus) byId(`tab-${name}`).focus();
  if (scroll) byId(name).scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
}

for (const [index, name] of tabs.entries()) {
  const tab = byId(`tab-${name}`);
  tab.addEventListener("click", () => choose(name));
  tab.addEventListener("keydown", (event) => {
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(tabs[(next + tabs.length) % tabs.length], { focus: true });
  });
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").setAttribute("aria-pressed", String(name === "dark"));
}
if (localStorage.getItem("theme")) theme(localStorage.getItem("theme"));
byId("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = dark === "dark" ? "light" : "dark";
  localStorage.setItem("theme", next);
  theme(next);
});

function live(said, state) {
  if (byId("live").textContent === said) return;
  byId("live").textContent = said;
  byId("live").className = `live ${state}`;
  byId("board").classList.toggle("stale", state === "off"); // its numbers are old then
}

function trouble(said) {
  byId("trouble").hidden = !said;
  byId("trouble").textContent = said ?? "";
}

const about = await get("/api/about");
const history = new History();
const match = new Match(byId("match"));
const explain = (text) => { choose("match", { scroll: true }); match.explain(text); };
const journal = new Journal(byId("journal"), () => !byId("journal").hidden);
const journalOf = (id) => { choose("journal", { scroll: true }); journal.about(id); };
const follow = new Follow(byId("follow"), journalOf);
const followOrder = (orderId, { quietly = false } = {}) => { // who just placed it may have gone on to another tab
  if (!quietly) choose("follow", { scroll: true });
  follow.follow(orderId);
};
const peek = new Peek(byId("peek"), { onMatch: explain, onOrder: followOrder, onJournal: journalOf });
const lookInto = (queue) => { choose("peek", { scroll: true }); peek.look(queue); };
const board = new Board(byId("diagram"), lookInto);
const glance = new Glance(byId("glance"), lookInto);
const knobs = new Knobs(byId("knobs"), about, followOrder);
const guide = new Guide(byId("guide"), byId("open-guide"), about.stream_per_s, (...turn) => knobs.act(...turn));
const proof = new Proof(byId("proof"), byId("said"));

// A look may hang while the backend does: then the numbers are old, and the page says so.
const OLD_MS = 8000;
let newsAt = Date.now();
setInterval(() => { if (Date.now() - newsAt > OLD_MS) live("no news: the backend does not answer", "off"); }, 1000);

let knownKnobs;
const events = new EventSource("/api/events");
events.addEventListener("open", () => live("live", "on"));
events.addEventListener("error", () => live("connection lost, trying again", "off"));
events.addEventListener("history", (event) => {
  history.points = [];
  for (const point of JSON.parse(event.data)) history.add(point);
});
events.addEventListener("board", (event) => {
  const seen = JSON.parse(event.data);
  knownKnobs = seen.knobs ??= knownKnobs; // told when they change
  newsAt = Date.now();
  trouble(seen.trouble);
  if (seen.trouble) return live("no backend", "off");
  live("live", "on");
  history.see(seen);
  byId("where").textContent = `${seen.backend} ${seen.endpoint_url ?? ""}`;
  board.update(seen, history);
  glance.update(seen, history);
  knobs.update(seen);
  guide.update(seen);
  proof.update(seen.proof);
  journal.update(seen);
  document.body.dataset.looked = seen.at_s;
});
