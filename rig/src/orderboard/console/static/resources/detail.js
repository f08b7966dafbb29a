// One resource: its numbers, problems, who may send, links, documents and attributes; below, what can be done with it.

import { copyable, count, el } from "../dom.js";
import { fixing, pretty, state, way } from "./format.js";
import { Deliveries, JournalTab, Matches, Messages, Sending } from "./tabs.js";

const KIND_TABS = {
  queue: [Messages, Sending, JournalTab], topic: [Sending, Deliveries, JournalTab], bus: [Sending, Deliveries, JournalTab],
  subscription: [Matches, JournalTab], rule: [Matches, Deliveries, JournalTab], mapping: [Matches, JournalTab], table: [],
};

const OPEN = ["EventPattern", "FilterPolicy", "FilterCriteria"]; // documents that are shown at once

export class Detail {
  constructor(place, { onChoose, onMessage, onBack }) {
    Object.assign(this, { place, onChoose, onMessage, onBack });
    this.clear();
  }

  clear(text = "Choose a resource to see its numbers, policy, dead letters and journal, and to send to it.") {
    this.row = null;
    this.tabs = [];
    this.place.replaceChildren(el("p", { class: "note" }, text));
  }

  update(row, snapshot) {
    this.snapshot = snapshot;
    if (row.arn !== this.row?.arn) this.#build(row);
    this.row = row;
    this.numbers.textContent = state(row);
    const key = JSON.stringify([row.problems, row.losses, row.who, row.links, row.documents, Object.entries(row.attributes).filter(([name]) => !name.startsWith("Approximate"))]);
    if (key !== this.key) {
      this.key = key;
      const shown = this.facts.children.length ? [...this.facts.querySelectorAll("details[open]")].map((each) => each.dataset.name) : OPEN;
      const open = new Set(shown);
      this.facts.replaceChildren(...this.#facts(row, open));
    }
  }

  // Read anew what the shown tab reads by itself, such as its journal.
  tick() {
    this.tabs.find((tab) => !tab.panel.hidden)?.tick?.();
  }

  #build(row) {
    this.key = "";
    this.numbers = el("p", { class: "numbers" });
    this.facts = el("div");
    const kinds = KIND_TABS[row.kind] ?? [];
    this.tabs = kinds.map((Tab) => new Tab(row, { onChoose: this.onChoose, onMessage: this.onMessage, snapshot: () => this.snapshot, row: () => this.row ?? row }));
    const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "What to do with it" }, ...this.tabs.map((tab, index) => this.#tab(tab, index)));
    this.place.replaceChildren(
      el("button", { type: "button", class: "quiet back", onclick: this.onBack }, "‹ All resources"),
      el("h2", { tabindex: -1 }, el("small", {}, `${row.kind} `), row.name), el("div", { class: "arn" }, copyable(row.arn)), this.numbers, this.facts,
      ...(this.tabs.length ? [bar, ...this.tabs.map((tab) => tab.panel)] : []));
    if (this.tabs.length) this.#show(0);
  }

  #tab(tab, index) {
    const button = el("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": `panel-${index}`, onclick: () => this.#show(index) }, tab.title);
    tab.panel.id = `panel-${index}`;
    tab.panel.setAttribute("role", "tabpanel");
    tab.panel.setAttribute("aria-labelledby", button.id);
    tab.button = button;
    button.addEventListener("keydown", (event) => {
      const next = { ArrowRight: index + 1, ArrowLeft: index - 1 }[event.key];
      if (next === undefined) return;
      const to = (next + this.tabs.length) % this.tabs.length;
      this.#show(to);
      this.tabs[to].button.focus();
    });
    return button;
  }

  #show(index) {
    for (const [place, tab] of this.tabs.entries()) {
      tab.panel.hidden = place !== index;
      tab.button.setAttribute("aria-selected", String(place === index));
      tab.button.tabIndex = place === index ? 0 : -1;
    }
    this.tabs[index].shown?.();
  }

  #facts(row, open) {
    const roles = Map.groupBy(row.links, ({ role }) => role);
    const folded = (name, ...children) => el("details", { "data-name": name, open: open.has(name) }, el("summary", {}, name), ...children);
    return [
      ...row.problems.map((problem) => el("div", { class: "problem" }, el("p", {}, el("b", {}, problem.text), ` ${problem.fix}`), fixing(problem.command))),
      ...row.losses.map((loss) => el("div", { class: "problem" }, el("p", {}, el("b", {}, `${count(loss.count)} ${loss.verb}`), ` ${way(loss)}: ${loss.reason}. ${loss.fix}`), row.problems.some(({ command }) => command === loss.command) ? null : fixing(loss.command))),
      row.who === null ? null : el("p", {}, el("b", {}, "May send: "), row.who),
      el("dl", { class: "links" }, ...[...roles].flatMap(([role, links]) => [el("dt", {}, role), el("dd", {}, ...links.map((link) => this.#link(link)))])),
      ...Object.entries(row.documents).map(([name, text]) => folded(name, el("pre", {}, pretty(text)))),
      folded("Attributes", this.#attributes(row.attributes)),
    ].filter(Boolean);
  }

  #link({ label, arn }) {
    return arn === null ? el("span", { class: "plain" }, label) : el("button", { type: "button", class: "chip", onclick: () => this.onChoose(arn) }, label);
  }

  #attributes(attributes) {
    const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    return el("table", { class: "checks" }, el("tbody", {}, ...Object.entries(attributes).map(([name, value]) =>
      el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, text(value))))));
  }
}
