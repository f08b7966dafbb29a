// Wires the page: one stream of snapshots from the server, shown by the diagram, the controls and the other parts.

import { Alarms } from "./alarms.js";
import { Controls } from "./controls.js";
import { Diagram } from "./diagram.js";
import { el, get } from "./dom.js";
import { Effects } from "./effects.js";
import { Explain } from "./explain.js";
import { Guide } from "./guide.js";
import { Journal } from "./journal.js";
import { Peek } from "./peek.js";
import { presenting } from "./present/mode.js";
import { Stage } from "./present/stage.js";
import { Reconciliation } from "./reconciliation.js";
import { History } from "./sparkline.js";
import { QueueTable } from "./table.js";
import "./theme.js";
import { Timeline } from "./timeline.js";
import { Panel } from "./workshop/panel.js";

const byId = (id) => document.getElementById(id);
const tabs = ["follow", "journal", "peek", "explain", "alarms"];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function choose(name, { focus = false, scroll = false } = {}) {
  for (const each of tabs) {
    const tab = byId(`tab-${each}`);
    tab.setAttribute("aria-selected", each === name);
    tab.tabIndex = each === name ? 0 : -1;
    byId(each).hidden = each !== name;
  }
  if (name === "journal") journal.read();
  if (name === "alarms") alarms.read();
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

function live(text, state) {
  if (byId("live").textContent === text) return;
  byId("live").textContent = text;
  byId("live").className = `live ${state}`;
  byId("board").classList.toggle("stale", state === "off");
}

function trouble(text) {
  byId("trouble").hidden = !text;
  byId("trouble").textContent = text ?? "";
}

const about = await get("/api/about");
const history = new History();
const explain = new Explain(byId("explain"));
const explainEvent = (text) => { choose("explain", { scroll: true }); explain.explain(text); };
const journal = new Journal(byId("journal"), () => !byId("journal").hidden);
const alarms = new Alarms(byId("alarms"), () => !byId("alarms").hidden);
const showJournal = (wanted) => { choose("journal", { scroll: true }); journal.show(wanted); };
const followOrder = (orderId, { quietly = false } = {}) => { // quietly: the user may be on another tab by now
  if (!quietly) choose("follow", { scroll: true });
  timeline.follow(orderId);
};
const peek = new Peek(byId("peek"), { onExplain: explainEvent, onOrder: followOrder, onJournal: showJournal });
const peekInto = (queue) => { choose("peek", { scroll: true }); peek.read(queue); };
const effects = new Effects(byId("effect"), about.meanings);
const controls = new Controls({ beside: byId("controls"), below: byId("knobs") }, effects, about, followOrder);
const act = (...action) => controls.act(...action);
const cancel = (orderId) => act("cancel", { order_id: orderId }, { doing: "Asking to cancel the order", control: "cancel-order" });
const timeline = new Timeline(byId("follow"), controls.buttons, { onJournal: (id) => showJournal({ id }), onCancel: cancel });
const guide = new Guide(byId("guide"), byId("open-guide"), about, act);
const views = [new Diagram(byId("diagram"), peekInto), new QueueTable(byId("table"), peekInto), effects, controls, guide, journal];
new Panel(byId("exercise"), byId("open-exercise"));
const reconciliation = new Reconciliation(byId("reconciliation"), byId("spoken"), controls.buttons, act);

if (presenting) {
  const stage = el("main", { id: "stage", class: "stage" });
  document.querySelector(".page").after(stage);
  views.push(new Stage(stage, { buttons: controls.buttons, act, about, moved: [byId("reconciliation"), byId("effect")] }));
}

// Without a snapshot for a while the numbers are old.
const OLD_MS = 8000;
let snapshotAt = Date.now();
setInterval(() => { if (Date.now() - snapshotAt > OLD_MS) live("no update: the backend does not answer", "off"); }, 1000);

let lastControls;
const events = new EventSource("/api/events");
events.addEventListener("open", () => live("live", "on"));
events.addEventListener("error", () => live("connection lost, trying again", "off"));
events.addEventListener("history", (event) => {
  history.points = [];
  for (const point of JSON.parse(event.data)) history.add(point);
});
events.addEventListener("snapshot", (event) => {
  const snapshot = JSON.parse(event.data);
  lastControls = snapshot.controls ??= lastControls; // sent when they change
  snapshotAt = Date.now();
  trouble(snapshot.trouble);
  if (snapshot.trouble) return live("no backend", "off");
  live("live", "on");
  history.addSnapshot(snapshot);
  byId("where").textContent = `${snapshot.backend} ${snapshot.endpoint_url ?? ""}`;
  for (const view of views) view.update(snapshot, history);
  reconciliation.update(snapshot.reconciliation);
});
