// The stack's alarms: state, since when, and CloudWatch's reason. They are evaluated at the end of each minute.

import { age, el, get } from "./dom.js";

const AGAIN_MS = 2000;
const TONES = { ALARM: "bad", OK: "good" };
const NAMES = { INSUFFICIENT_DATA: "no data" };

export class Alarms {
  constructor(place, isShown) {
    this.isShown = isShown;
    this.note = el("p", { class: "note" }, "Reading …");
    this.rows = el("tbody");
    const head = el("tr", {}, ...["since", "state", "alarm and reason"].map((name) => el("th", { scope: "col" }, name)));
    place.append(this.note, el("div", { class: "entries", tabindex: 0, role: "region", "aria-label": "Alarms" }, el("table", {}, el("thead", {}, head), this.rows)));
    setInterval(() => this.read(), AGAIN_MS);
  }

  async read() {
    if (!this.isShown() || document.hidden || this.reading) return;
    this.reading = true;
    try {
      this.#fill(await get("/api/alarms"));
    } catch (error) {
      this.note.textContent = error.message;
    } finally {
      this.reading = false;
    }
  }

  #fill({ alarms }) {
    const off = alarms.filter((each) => each.state === "ALARM").length;
    this.note.textContent = !alarms.length ? "This stack has no alarms." : off ? `${off} of ${alarms.length} alarms went off; their messages are in the inbox.` : `None of ${alarms.length} alarms went off. They are evaluated at the end of each minute.`;
    this.rows.replaceChildren(...alarms.map((each) => this.#row(each)));
  }

  // On a small screen the second column is left out, so the state is in the third one too.
  #row(alarm) {
    const state = `${NAMES[alarm.state] ?? alarm.state}${alarm.actions_enabled ? "" : ", actions disabled"}`;
    const why = alarm.state === "ALARM" ? [alarm.description, alarm.reason] : [alarm.reason];
    return el("tr", { class: TONES[alarm.state] ?? "" }, el("td", {}, age(alarm.since_s)), el("td", {}, state),
      el("td", {}, `${alarm.name}: ${state}`, ...why.map((text) => el("div", { class: "details" }, text))));
  }
}
