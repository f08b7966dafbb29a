// The effect panel: the result of what was used last with the numbers that changed since, its meaning, and commands. It
// is beside the controls on a wide screen, and a sheet at the bottom, close to any button, on a small one.

import { ALL_QUEUES, copyable, count, el, held } from "./dom.js";

const SHOWN = 6; // changed numbers
const EARLIER = 3;
const WIDE = matchMedia("(min-width: 1181px)");
const TERMS = {
  completed: "completed", rejected: "rejected", cancelled: "cancelled", purged: "purged", missing: "missing",
};

// The numbers that an effect may change, in the order of their weight.
function numbers({ traffic, queues, workers, reconciliation, orders }) {
  const found = new Map([["accepted", reconciliation.placed ?? traffic.accepted]]);
  for (const [key, name] of Object.entries(TERMS)) found.set(name, reconciliation[key]);
  if (workers !== null) found.set("workers running", workers.filter((each) => each.state === "running").length);
  for (const name of ALL_QUEUES) {
    const queue = queues[name.replace("-dlq", "")];
    found.set(name, name.endsWith("-dlq") ? queue.dlq : held(queue));
  }
  if (reconciliation.placed === undefined) found.set("recorded", orders);
  return found;
}

export class Effects {
  constructor(place, meanings) {
    this.place = place;
    this.meanings = meanings;
    this.result = el("p", { class: "result", role: "status" }, "Nothing used yet.");
    this.changes = el("p", { class: "changes" });
    this.earlier = el("ol", { class: "earlier", "aria-label": "Earlier results" });
    this.panel = el("div", { class: "command-box", tabindex: 0, role: "region", "aria-label": "Command of the control" });
    this.more = el("details", { class: "more" }, el("summary", {}, "Meaning and command"), this.panel, this.earlier);
    place.append(
      el("div", { class: "effect-head" }, el("h2", {}, "Effect"), el("button", { type: "button", class: "quiet hide-effect", "aria-label": "Hide the effect", onclick: () => this.#show(false) }, "Hide")),
      el("div", { class: "effect-body" }, this.result, this.changes), this.more);
    this.last = [el("p", { class: "note" }, "Point at a control to see what it does and the shell command with the same effect. The last one you used stays here to copy.")];
    this.#unfold();
    WIDE.addEventListener("change", () => this.#unfold());
    this.showLast();
  }

  update(snapshot) {
    this.snapshot = snapshot;
    if (!this.before) return;
    const now = numbers(snapshot);
    const changed = [...this.before].filter(([name, value]) => now.get(name) !== value && now.get(name) !== undefined);
    this.changes.replaceChildren(...changed.slice(0, SHOWN).map(([name, value]) =>
      el("span", { class: "change" }, `${name} `, el("span", {}, count(value)), " → ", el("b", {}, count(now.get(name))))));
  }

  // Show at once that something was started. The answer goes to `end`, and to nobody else's.
  begin(text) {
    this.#remember();
    this.before = this.snapshot ? numbers(this.snapshot) : null;
    this.changes.replaceChildren();
    this.#say(text, "working");
    return (this.running = {});
  }

  end(token, { message, command, control, failed = false }) {
    if (token !== this.running) return this.#note(message, failed); // another one has begun meanwhile
    this.#say(message, failed ? "failed" : "");
    if (failed) return;
    this.last = [...this.#meaning(control), ...(command ? [copyable(command)] : [])];
    this.showLast();
  }

  // A result without an effect, such as why a control is unavailable.
  tell(text, { failed = false } = {}) {
    this.#remember();
    this.before = null;
    this.changes.replaceChildren();
    this.#say(text, failed ? "failed" : "");
  }

  preview(label, control, { command, reason }) {
    this.panel.replaceChildren(
      el("p", {}, el("b", {}, label), reason ? ` is unavailable. ${reason}` : ""), ...this.#meaning(control),
      ...(command ? [copyable(command)] : []));
  }

  showLast() {
    this.panel.replaceChildren(...this.last);
  }

  #meaning(control) {
    const found = this.meanings[control?.replace(/^worker-\d+\./, "worker.").replace(/^\w+\.(?=redrive|purge)/, "queue.")];
    if (!found) return [];
    const [text, title, url] = found;
    return [el("p", { class: "note meaning" }, `${text} `, el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, title))];
  }

  #say(text, kind) {
    this.result.textContent = text;
    this.result.className = `result ${kind}`;
    this.at = new Date();
    this.#show(true);
  }

  #remember() {
    if (this.at && !this.result.classList.contains("working")) this.#note(this.result.textContent, this.result.classList.contains("failed"));
  }

  #note(text, failed) {
    this.earlier.prepend(el("li", { class: failed ? "bad-text" : "" }, el("time", {}, new Date().toLocaleTimeString("en-GB")), ` ${text}`));
    while (this.earlier.children.length > EARLIER) this.earlier.lastChild.remove();
  }

  #unfold() {
    this.more.open = WIDE.matches;
  }

  #show(shown) {
    this.place.classList.toggle("shown", shown);
  }
}
