// The proof line: every order that was answered 202, and where it is now. Its terms are always there, so nothing jumps;
// but for those that are missing, which must not be overlooked.

import { count, el } from "./dom.js";

const TERMS = [["placed", "accepted"], ["completed", "completed"], ["rejected", "rejected"], ["cancelled", "cancelled"], ["resting", "in a DLQ"], ["on_its_way", "on their way"], ["missing", "missing"]];

export class Proof {
  constructor(place, said) {
    this.said = said;
    this.badge = el("strong", { class: "verdict" }, "…");
    this.why = el("span", { class: "note" });
    this.terms = new Map();
    const sum = TERMS.flatMap(([key, name], index) => {
      const value = el("b", {}, "…");
      const term = el("span", { class: `term ${key}` }, value, ` ${name}`);
      this.terms.set(key, { value, term });
      if (index > 0) term.prepend(el("span", { class: "sign" }, index === 1 ? "= " : "+ "));
      return [term];
    });
    this.sum = el("span", { class: "sum" }, ...sum);
    place.append(this.badge, this.sum, this.why);
  }

  update(proof) {
    const unknown = proof.why_unknown !== null;
    this.sum.hidden = unknown;
    this.why.textContent = unknown ? proof.why_unknown : "";
    if (!unknown) {
      for (const [key, { value, term }] of this.terms) {
        value.textContent = count(proof[key]);
        term.classList.toggle("none", proof[key] === 0);
        term.hidden = key === "missing" && proof.missing === 0;
      }
    }
    const [text, tone] = this.#verdict(proof, unknown);
    if (text === this.badge.textContent) return;
    this.badge.textContent = text;
    this.badge.className = `verdict ${tone}`;
    if (tone) this.said.textContent = `${text}${tone === "good" ? `: ${count(proof.placed)} orders accounted for` : ""}`; // told aloud only when the verdict changes
  }

  #verdict(proof, unknown) {
    if (unknown) return ["Proof unknown", ""];
    if (proof.missing) return ["Orders are missing", "bad"];
    if (proof.placed === 0) return ["No orders yet", ""];
    return proof.on_its_way ? ["Orders on their way", ""] : ["✓ Nothing was lost", "good"];
  }
}
