// The page of a running burst: it follows the stream of its seconds, and can stop the load.
"use strict";

const timeline = {};
const faults = [];
let state = null;
let redraw = [];
let parts = null;
let ledger = true; // else only the answers are known

/** Take the rows of some seconds; a later row of a second replaces the earlier one. */
function take(rows) {
  for (const row of rows) {
    for (const [column, value] of Object.entries({ ...row, oldest_age_ms: inMilliseconds(row.oldest_age_s) })) {
      timeline[column][row.at_s] = value;
    }
  }
}

function start(document_) {
  const report = document.getElementById("report");
  report.replaceChildren();
  charts.splice(0).forEach(({ chart }) => chart.destroy());
  for (const column of [...document_.columns, "oldest_age_ms"]) timeline[column] = [];
  faults.length = 0;
  const drawn = timeCharts(timeline, () => (state && !state.loading ? state.load_s : Infinity), faults, document_.settings, { growing: true, ledger: document_.ledger });
  ledger = document_.ledger;
  parts = {
    head: element("p", { class: "about", role: "status" }, "The system starts ..."),
    stop: element("button", { type: "button", class: "stop" }, "Stop the load"),
    tiles: element("section", { class: "tiles", "aria-label": "Now" }),
    bars: element("section", { class: "card bars", "aria-label": "Progress" }),
    faults: element("div", {}),
    end: element("div", {}),
  };
  parts.stop.addEventListener("click", stopLoad);
  const { settings } = document_;
  const load = `${planOf(settings)}, ${settings.target || `${settings.backend} backend`}`;
  report.append(
    element("header", { class: "with-button" }, element("div", {}, element("h1", {}, `A burst${settings.orders ? ` of ${plural(settings.orders, "order")}` : ""}, live`), about(load), parts.head), parts.stop),
    parts.end, parts.tiles, parts.bars, ...drawn.cards,
    element("footer", {}, "Latencies are exact, of each second. The report has those of the whole burst, and the verdict."),
  );
  drawn.cards[0].append(parts.faults);
  redraw = drawn.later.map((draw) => draw());
  fitToWindow();
}

async function stopLoad() {
  parts.stop.disabled = true;
  const answer = await fetch("/api/stop", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  if (!answer.ok) parts.head.textContent = (await answer.json()).message;
}

function bar(name, done, total, shade) {
  const fill = element("i", {});
  fill.style.width = `${Math.min(100, (100 * done) / Math.max(total, 1))}%`;
  fill.style.background = `var(--${shade})`;
  return [element("span", {}, name), element("div", { class: "meter" }, fill), element("b", {}, `${plain(done)} of ${plain(total)}`)];
}

function show() {
  const { at_s, loading, stopping, waits_for, workers, orders, sent, accepted, finished, due, last, planned } = state;
  const drain = ledger ? `drain, waits for ${waits_for || "the last outcomes"}` : "every order is answered";
  parts.head.textContent = `${plain(at_s)} s · ${loading ? "load" : drain}${ledger ? ` · ${plural(workers, "worker")} running` : ""}${stopping ? " · the load was stopped" : ""}${planned ? ` · next fault at ${plain(planned.at_s, 1)} s: ${planned.text}` : ""}`;
  parts.stop.hidden = !loading || stopping;
  const tile = (name, value, note) => element("div", { class: "tile" }, element("div", { class: "name" }, name), element("div", { class: "value" }, ...value), element("div", { class: "note" }, note));
  const per = (value) => [plain(value), element("small", {}, "/ s")];
  const ms = (value) => {
    const [figure, unit] = duration(value).split(" ");
    return unit ? [figure, element("small", {}, unit)] : [figure];
  };
  parts.tiles.replaceChildren(
    tile("Accepted", per(last.accepted), "last five seconds"),
    ...(ledger ? [tile("Finished", per(last.finished), "last five seconds")] : []),
    tile("Accept, p99", ms(last.accept_p99_ms), `p50 ${duration(last.accept_p50_ms)}`),
    ...(ledger ? [
    tile("End to end, p99", ms(last.end_to_end_p99_ms), `p50 ${duration(last.end_to_end_p50_ms)}`),
    tile("Backlog", [plain(state.backlog)], plural(state.dead_letters, "dead letter")),
    tile("Oldest unfinished", ms(inMilliseconds(state.oldest_age_s)), plural(state.alerts, "alert")),
    ] : []),
  );
  parts.bars.replaceChildren(...bar("sent", sent, orders, "asked"), ...bar("accepted", accepted, orders, "accepted"), ...(ledger ? bar("finished", finished, due, "finished") : []));
  parts.faults.replaceChildren(faults.length ? faultList(faults) : "");
}

function end({ valid, text, report }) {
  parts.stop.hidden = true;
  parts.head.textContent = "The burst has ended.";
  parts.end.replaceChildren(element(
    "section", { class: `card verdict ${valid ? "good" : "bad"}` },
    element("span", { class: "mark", "aria-hidden": "true" }, valid ? "✓" : "✗"),
    element("strong", {}, text), element("p", {}, "The report: ", element("code", {}, report)),
  ));
}

const stream = new EventSource("/api/events");
let ended = false;
stream.addEventListener("start", ({ data }) => start(JSON.parse(data)));
stream.addEventListener("tick", ({ data }) => {
  const { rows, marks, ...now } = JSON.parse(data);
  state = now;
  take(rows);
  faults.splice(0, faults.length, ...marks);
  redraw.forEach((draw) => draw());
  show();
});
stream.addEventListener("end", ({ data }) => end(JSON.parse(data)));
stream.addEventListener("bye", () => {
  ended = true;
  stream.close();
});
stream.addEventListener("error", () => {
  if (!ended && parts) parts.head.textContent = "The burst's command does not answer: it has ended, or was killed.";
});
