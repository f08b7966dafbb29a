// The proof: every accepted order, and where it is now; and the deliveries that were stopped. Most terms stay visible so
// that nothing jumps; those that are rare and must stand out appear when needed.

import { count, el, time } from "./dom.js";

const TERMS = {
  placed: "accepted", completed: "completed", rejected: "rejected", cancelled: "cancelled", dead_lettered: "in a DLQ",
  purged: "purged by you", on_its_way: "on their way", missing: "missing", dead_lettered_duplicates: "duplicates in a DLQ",
};
// Not of the sum: their orders have ended, and a redrive only repeats the outcome.
const ASIDE = "dead_lettered_duplicates";
const RARE = new Set(["purged", "missing", ASIDE]);
const STOPPED_SHOWN = 3;
const short = (arn) => arn.split(":").at(-1).split("/").at(-1);

export class Reconciliation {
  // spoken: a live region, which gets the verdict when it changes.
  constructor(place, spoken, buttons, act) {
    this.spoken = spoken;
    this.since = el("span", { class: "note" });
    this.stopped = el("ul", { class: "stopped" });
    const reset = buttons.make("reset-proof", "Count from now", () => act("reset-proof", {}, { doing: "Resetting the proof" }), "quiet reset");
    this.verdict = el("strong", { class: "verdict" }, "…");
    this.why = el("span", { class: "note" });
    this.terms = new Map(Object.entries(TERMS).map(([key, name], index) => {
      const value = el("b", {}, "…");
      const sign = index === 0 ? null : el("span", { class: "sign" }, key === ASIDE ? "· " : index === 1 ? "= " : "+ ");
      return [key, { value, term: el("span", { class: `term ${key}` }, sign, value, ` ${name}`) }];
    }));
    this.sum = el("span", { class: "sum" }, ...[...this.terms.values()].map(({ term }) => term));
    place.append(el("div", { class: "verdict-line" }, this.verdict, this.since, reset), this.sum, this.why, this.stopped);
  }

  update(found) {
    this.sum.hidden = found.why_unknown !== null;
    this.why.textContent = found.why_unknown ?? "";
    for (const [key, { value, term }] of this.terms) {
      value.textContent = count(found[key]);
      term.classList.toggle("none", !found[key]);
      term.hidden = RARE.has(key) && !found[key];
    }
    this.since.textContent = found.since_s ? `since ${time(found.since_s).slice(0, 8)} UTC` : "";
    this.#showStopped(found.stopped ?? []);
    const [text, tone] = this.#judge(found);
    if (text === this.verdict.textContent) return;
    this.verdict.textContent = text;
    this.verdict.className = `verdict ${tone}`;
    if (tone) this.spoken.textContent = `${text}${tone === "good" ? `: ${count(found.placed)} orders accounted for` : ""}`;
  }

  #showStopped(stopped) {
    const key = JSON.stringify(stopped);
    if (key === this.stoppedKey) return;
    this.stoppedKey = key;
    const line = ({ source, target, reason, count: number }) => el("li", {},
      el("b", {}, `${count(number)} not delivered`), ` from ${short(source)} to ${short(target)}: ${reason.replace(/arn:[\w:./-]+/g, short)}. `,
      el("a", { href: `/resources#queue=${encodeURIComponent(short(target))}` }, "See it under Resources"));
    const more = stopped.length - STOPPED_SHOWN;
    this.stopped.replaceChildren(...stopped.slice(0, STOPPED_SHOWN).map(line),
      ...(more > 0 ? [el("li", {}, `and ${more} more: `, el("a", { href: "/resources" }, "Resources"))] : []));
  }

  #judge({ why_unknown, missing, placed, on_its_way }) {
    if (why_unknown !== null) return ["Reconciliation is unavailable", ""];
    if (missing) return ["Orders are missing", "bad"];
    if (placed === 0) return ["No orders yet", ""];
    return on_its_way ? ["Orders on their way", ""] : ["✓ No order was lost", "good"];
  }
}
