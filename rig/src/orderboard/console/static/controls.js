// The controls. The server says which are available, why others are not, and which command has the same effect.

import { Buttons } from "./buttons.js";
import { DeadLetters } from "./dead_letters.js";
import { el, post } from "./dom.js";
import { Faults } from "./faults.js";
import { Orders } from "./orders.js";
import { QueueSettings } from "./queue_settings.js";
import { Workers } from "./workers.js";

const group = (title, ...children) => el("fieldset", {}, el("legend", {}, title), ...children);

export class Controls {
  // places: beside the board, and below it.
  constructor({ beside, below }, effects, about, onOrder) {
    this.effects = effects;
    this.buttons = new Buttons(effects);
    this.running = new Map();
    const act = (...action) => this.act(...action);
    const latest = (...action) => this.latest(...action);
    this.orders = new Orders(this.buttons, about, { act, onOrder });
    this.workers = new Workers(this.buttons, { act, latest });
    this.settings = new QueueSettings(this.buttons, about, latest);
    this.dead = new DeadLetters(this.buttons, act);
    this.faults = new Faults(this.buttons, about, act);
    beside.append(
      group("Place orders", ...this.orders.parts), group("Workers", ...this.workers.parts),
      group("Queues work and express", ...this.settings.parts));
    below.append(
      group("Dead letters", ...this.dead.parts),
      group("Faults", ...this.faults.parts),
      group("Notifier, kills, clock", el("div", { class: "row even" },
        (this.mapping = this.buttons.make("mapping", "Pause notifier", () => act("mapping", { enabled: this.paused }))),
        this.buttons.make("replay", "Replay archive", () => act("replay", {}))), ...this.faults.otherParts));
  }

  update(snapshot) {
    this.paused = (snapshot.mapping ?? "").startsWith("Disabl");
    this.mapping.textContent = this.paused ? "Resume notifier" : "Pause notifier";
    this.workers.update(snapshot);
    this.dead.update(snapshot.queues);
    this.settings.update(snapshot.queue_settings);
    this.buttons.update(snapshot.controls);
    this.orders.update(snapshot.traffic);
    this.faults.update(snapshot.localbus, snapshot.controls["delivery-faults"].reason);
  }

  // doing: shown at once. control: its name, if it is not the action's.
  async act(action, body, { doing = "Working", control = action, text = (message) => message } = {}) {
    const token = this.effects.begin(`${doing} …`);
    try {
      const done = await post(`/api/do/${action}`, body);
      this.effects.end(token, { message: text(done.message), command: done.command, control });
      return done;
    } catch (error) {
      this.effects.end(token, { message: error.message, failed: true });
      return null;
    }
  }

  // For what takes a while: of the requests that come meanwhile only the last one follows.
  async latest(action, body, options) {
    if (this.running.has(action)) {
      this.running.set(action, [body, options]);
      return;
    }
    for (let next = [body, options]; next; next = this.running.get(action)) {
      this.running.set(action, undefined);
      await this.act(action, ...next);
    }
    this.running.delete(action);
  }
}
