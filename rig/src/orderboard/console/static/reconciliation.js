// Reconciliation: every accepted order, and where it is now. All terms stay visible so that nothing jumps, except for
// missing orders, which must stand out.

import { count, el } from "./dom.js";

const TERMS = {
  placed: "accepted", completed: "completed", rejected: "rejected", cancelled: "cancelled", dead_lettered: "in a DLQ",
  on_its_way: "on their way", missing: "missing", dead_lettered_duplicates: "duplicates in a DLQ",
};
// Not of the sum: their orders have ended, and a redrive only repeats the outcome.
const ASIDE = "dead_lettered_duplicates";

export class Reconciliation {
  // spoken: a live region, which gets the verdict when it changes.
  constructor(place, spoken) {
    this.spoken = spoken;
    this.verdict = el("strong", { class: "verdict" }, "…");
    this.why = el("span", { class: "note" });
    this.terms = new Map(Object.entries(TERMS).map(([key, name], index) => {
      const value = el("b", {}, "…");
      const sign = index === 0 ? null : el("span", { class: "sign" }, key === ASIDE ? "· " : index === 1 ? "= " : "+ ");
      return [key, { value, term: el("span", { class: `term ${key}` }, sign, value, ` ${name}`) }];
    }));
    this.sum = el("span", { class: "sum" }, ...[...this.terms.values()].map(({ term }) => term));
    place.append(this.verdict, this.sum, this.why);
  }

  update(found) {
    this.sum.hidden = found.why_unknown !== null;
    this.why.textContent = found.why_unknown ?? "";
    for (const [key, { value, term }] of this.terms) {
      value.textContent = count(found[key]);
      term.classList.toggle("none", !found[key]);
      term.hidden = (key === "missing" || key === ASIDE) && !found[key];
    }
    const [text, tone] = this.#judge(found);
    if (text === this.verdict.textContent) return;
    this.verdict.textContent = text;
    this.verdict.className = `verdict ${tone}`;
    if (tone) this.spoken.textContent = `${text}${tone === "good" ? `: ${count(found.placed)} orders accounted for` : ""}`;
  }

  #judge({ why_unknown, missing, placed, on_its_way }) {
    if (why_unknown !== null) return ["Reconciliation is unavailable", ""];
    if (missing) return ["Orders are missing", "bad"];
    if (placed === 0) return ["No orders yet", ""];
    return on_its_way ? ["Orders on their way", ""] : ["✓ No order was lost", "good"];
  }
}
