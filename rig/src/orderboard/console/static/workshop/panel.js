// The open exercise beside the board on a wide screen, and as a sheet over it on a small one. The browser remembers
// whether it is shown; /?workshop shows it.

import { el } from "../dom.js";
import { Exercise } from "./exercise.js";
import { Progress } from "./progress.js";

export class Panel {
  constructor(place, opener) {
    Object.assign(this, { place, opener });
    opener.addEventListener("click", () => this.#show(place.hidden, { focus: true }));
    place.addEventListener("keydown", (event) => { if (event.key === "Escape") this.#show(false); });
    const asked = new URLSearchParams(location.search).has("workshop");
    this.#show(asked || localStorage.getItem("exercise") === "shown");
  }

  #show(shown, { focus = false } = {}) {
    localStorage.setItem("exercise", shown ? "shown" : "hidden");
    const had = this.place.contains(document.activeElement);
    this.place.hidden = !shown;
    this.opener.setAttribute("aria-expanded", String(shown));
    document.documentElement.classList.toggle("with-exercise", shown);
    if (!shown && had) this.opener.focus();
    if (!shown) return;
    if (!this.progress) this.#fill();
    if (focus) this.place.focus();
  }

  #fill() {
    const none = el("p", { class: "note" });
    const body = el("article", { class: "experiment" });
    const hide = el("button", { type: "button", class: "quiet", "aria-label": "Hide the exercise", onclick: () => this.#show(false) }, "Hide");
    this.place.append(el("div", { class: "exercise-head" }, el("a", { href: "/workshop" }, "All exercises"), hide), none, body);
    const exercise = new Exercise(body, () => this.progress.read());
    this.progress = new Progress(
      ({ current, exercises }) => {
        const open = exercises.find((each) => each.number === current);
        none.textContent = open ? "" : "No exercise is open. Choose one of all exercises.";
        body.hidden = !open;
        if (open) exercise.show(open, current);
      },
      (message) => { none.textContent = message ?? (body.hidden ? none.textContent : ""); },
    );
  }
}
