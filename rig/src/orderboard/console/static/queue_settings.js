// Visibility timeout and maxReceiveCount of the work queues, with a way back to the deployed values.

import { el, select } from "./dom.js";

export class QueueSettings {
  constructor(buttons, about, latest) {
    this.latest = latest;
    const make = (name, label, values, text) => {
      const made = select(name, label, values, Object.fromEntries(values.map((value) => [value, text(value)])));
      made.addEventListener("change", () => this.#change());
      buttons.add("queue-settings", made);
      return made;
    };
    this.timeout = make("visibility-timeout", null, about.visibility_timeouts_s, (seconds) => `${seconds} s`);
    this.receives = make("max-receive-count", null, about.max_receive_counts, String);
    this.back = buttons.make("queue-settings", "Reset", () => this.#send({}));
    this.back.setAttribute("aria-label", "Reset the queues to the deployed settings");
    this.parts = [el("div", { class: "settings" },
      el("label", { for: "visibility-timeout" }, "Visibility timeout"), this.timeout, this.back,
      el("label", { for: "max-receive-count" }, "Receives before DLQ"), this.receives)];
  }

  update(settings) {
    if (!settings) return;
    const { visibility_timeout_s, max_receive_count, deployed } = settings;
    this.back.hidden = visibility_timeout_s === deployed.visibility_timeout_s && max_receive_count === deployed.max_receive_count;
    if (this.sending) return;
    this.#set(this.timeout, visibility_timeout_s, (seconds) => `${seconds} s`);
    this.#set(this.receives, max_receive_count, String);
  }

  #set(element, value, text) {
    if (document.activeElement === element) return;
    if (![...element.options].some((each) => each.value === String(value))) element.append(el("option", { value }, text(value)));
    element.value = String(value);
  }

  #change() {
    this.#send({ visibility_timeout_s: Number(this.timeout.value), max_receive_count: Number(this.receives.value) });
  }

  async #send(body) {
    this.sending = (this.sending ?? 0) + 1;
    await this.latest("queue-settings", body, { doing: "Changing the queues, and the workers with them" });
    this.sending -= 1;
  }
}
