// The list of resources: search, kinds, order and pages. Two hundred queues are four pages, drawn again only if changed.

import { el, select } from "../dom.js";
import { held, KINDS, state } from "./format.js";

const ON_A_PAGE = 50;
const ORDERS = { name: "by name", held: "most messages first", oldest: "oldest message first", problems: "problems first" };

export class List {
  constructor(place, onChoose) {
    this.onChoose = onChoose;
    this.rows = [];
    this.kind = "";
    this.page = 0;
    this.search = el("input", { id: "search", type: "search", placeholder: "search by name", spellcheck: "false", autocomplete: "off", "aria-label": "Search by name" });
    this.search.addEventListener("input", () => this.#again());
    this.order = select("order", "Order", Object.keys(ORDERS), ORDERS);
    this.order.addEventListener("change", () => this.#again());
    this.kinds = el("div", { class: "kinds row", role: "group", "aria-label": "Kinds" });
    this.body = el("tbody");
    this.note = el("p", { class: "note", role: "status" });
    this.pager = el("div", { class: "row pager" });
    const head = el("tr", {}, ...["resource", "state"].map((name) => el("th", { scope: "col" }, name)));
    place.append(el("div", { class: "row find" }, this.search, this.order), this.kinds,
      el("table", { class: "list" }, el("thead", {}, head), this.body), this.note, this.pager);
  }

  update(rows, { unread, scopes }) {
    this.rows = rows;
    this.unread = unread;
    this.many = scopes > 1;
    this.#draw();
  }

  choose(arn) {
    this.chosen = arn;
    this.key = "";
    this.#draw();
  }

  #again() {
    this.page = 0;
    this.#draw();
  }

  #found() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const named = this.rows.filter((row) => words.every((word) => `${row.name} ${row.arn}`.toLowerCase().includes(word)));
    const rank = { held, oldest: (row) => row.counts.oldest_s ?? -1, problems: (row) => row.problems.length + row.lost }[this.order.value];
    const found = named.filter((row) => !this.kind || row.kind === this.kind);
    return [named, rank ? found.toSorted((one, other) => rank(other) - rank(one)) : found];
  }

  #draw() {
    const [named, found] = this.#found();
    this.page = Math.max(0, Math.min(this.page, Math.ceil(found.length / ON_A_PAGE) - 1));
    const from = this.page * ON_A_PAGE;
    const shown = found.slice(from, from + ON_A_PAGE);
    const counts = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, named.filter((row) => row.kind === kind).length]));
    const key = JSON.stringify([this.kind, counts, from, found.length, this.chosen, this.unread, shown.map((row) => [row.arn, row.about, state(row), row.problems.length, row.lost])]);
    if (key === this.key) return;
    this.key = key;
    this.#drawKinds(counts, named.length);
    const focused = document.activeElement?.dataset?.arn;
    this.body.replaceChildren(...shown.map((row) => this.#row(row)));
    if (focused) this.body.querySelector(`[data-arn="${CSS.escape(focused)}"]`)?.focus();
    const reasons = Object.entries(this.unread ?? {}).map(([kind, why]) => `${KINDS[kind] ?? kind}: ${why}`);
    this.note.textContent = [found.length ? "" : this.rows.length ? "Nothing has this name." : "This account has no resources yet.", ...reasons].filter(Boolean).join(" ");
    this.#drawPager(from, shown.length, found.length);
  }

  #drawKinds(counts, all) {
    const chip = (kind, text, number) => el("button", { type: "button", class: "chip", "aria-pressed": String(this.kind === kind), onclick: () => { this.kind = kind; this.#again(); } }, `${text} ${number}`);
    const had = this.kinds.contains(document.activeElement) ? [...this.kinds.children].indexOf(document.activeElement) : -1;
    this.kinds.replaceChildren(chip("", "All", all), ...Object.entries(KINDS).map(([kind, text]) => chip(kind, text, counts[kind])));
    if (had >= 0) this.kinds.children[had].focus();
  }

  #drawPager(from, shown, all) {
    this.pager.hidden = all <= ON_A_PAGE;
    const turn = (text, by, disabled) => el("button", { type: "button", disabled, onclick: () => { this.page += by; this.#draw(); this.search.scrollIntoView({ block: "nearest" }); } }, text);
    this.pager.replaceChildren(turn("Previous", -1, from === 0), el("span", {}, `${from + 1} to ${from + shown} of ${all}`), turn("Next", 1, from + shown >= all));
  }

  #row(row) {
    const where = this.many ? `${row.account} ${row.region}` : "";
    const small = [row.kind, row.about, where].filter(Boolean).join(" · ");
    const marks = [row.problems.length ? el("span", { class: "tag rejected", title: row.problems.map(({ text }) => text).join(" ") }, row.problems.length === 1 ? "1 problem" : `${row.problems.length} problems`) : null,
      row.lost ? el("span", { class: "tag dead-lettered" }, `${row.lost} not delivered`) : null];
    return el("tr", { class: row.arn === this.chosen ? "chosen" : "" },
      el("th", { scope: "row" }, el("button", { type: "button", class: "name", "data-arn": row.arn, "aria-current": row.arn === this.chosen ? "true" : null, onclick: () => this.onChoose(row.arn) }, row.name), el("small", {}, small)),
      el("td", {}, el("span", {}, state(row)), ...marks));
  }
}
