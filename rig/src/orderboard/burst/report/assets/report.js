// Builds the page from the embedded document. Every text of it goes in as text, never as markup.
"use strict";

const { summary, timeline } = JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "") made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const card = (title, about, ...children) =>
  element("section", { class: "card" }, element("h2", {}, title), about ? element("p", { class: "about" }, about) : null, ...children);
const seconds = (value) => `${plain(value, value < 10 ? 1 : 0)} s`;
const plural = (count, one, many) => `${plain(count)} ${count === 1 ? one : many}`;
const memory = (megabytes) => `${plain(megabytes)} MB`;

function table(head, rows) {
  const cell = (name, value) => {
    if (value instanceof Node) return element(name, {}, value);
    const number = typeof value === "object" && value !== null;
    return element(name, { class: number ? value.class : "" }, String(number ? value.text : value));
  };
  const body = rows.map((row) => element("tr", {}, ...row.map((value, column) => cell(column ? "td" : "th", value))));
  const top = head.length ? [element("thead", {}, element("tr", {}, ...head.map((value) => cell("th", value))))] : [];
  return element("div", { class: "scroll" }, element("table", {}, ...top, element("tbody", {}, ...body)));
}
const number = (text) => ({ text, class: "number" });
const soft = (text) => ({ text, class: "soft" });

function definitions(pairs) {
  const list = element("dl");
  for (const [name, value] of pairs) list.append(element("dt", {}, name), element("dd", {}, value));
  return list;
}

function heading() {
  const { settings } = summary;
  const when = new Date(summary.started_at).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" });
  const asked = `${settings.profile} over ${seconds(settings.duration_s)}, ${plain(settings.rate, 1)} a second on average`;
  return element(
    "header",
    {},
    element("h1", {}, `A burst of ${plural(settings.orders, "order", "orders")}`),
    element("p", { class: "about" }, `${asked} · ${plural(settings.workers, "worker", "workers")} · backend ${settings.backend}${settings.disorder ? ` in disorder (${settings.disorder.replaceAll(",", ", ")})` : ""} · ${when}`),
  );
}

function verdictBanner() {
  const { verdict } = summary;
  const wrong = [
    [verdict.lost, "lost"],
    [verdict.duplicated, "duplicated"],
    [verdict.unexpected, "unexpected"],
  ].filter(([count]) => count > 0);
  let headline = "Valid: nothing lost, nothing made twice, nothing unexpected.";
  if (!verdict.valid) {
    const counts = wrong.map(([count, what]) => `${plain(count)} ${what}`).join(", ");
    headline = counts ? `Not valid: ${counts}.` : "Not valid: it was broken off.";
  }
  const missed = summary.expectations.filter((each) => !each.met).length;
  const ended = [
    [verdict.completed, "completed"],
    [verdict.rejected, "rejected"],
    [verdict.cancelled, "cancelled"],
    [verdict.dead_lettered, "dead-lettered"],
  ].filter(([count]) => count > 0).map(([count, what]) => `${plain(count)} ${what}`).join(", ");
  const unsettled = verdict.unsettled ? ` ${plural(verdict.unsettled, "order", "orders")} had not ended by then.` : "";
  const broken = summary.broken_off ? ` ${summary.broken_off}${unsettled}` : "";
  const thresholds = summary.expectations.length
    ? ` ${missed ? `${missed} of ${summary.expectations.length} thresholds missed.` : "Every threshold was met."}`
    : "";
  return element(
    "section",
    { class: `card verdict ${verdict.valid ? "good" : "bad"}` },
    element("span", { class: "mark", "aria-hidden": "true" }, verdict.valid ? "✓" : "✗"),
    element("strong", {}, headline),
    element("p", {}, `${plain(verdict.acknowledged)} of ${plain(verdict.attempted)} were acknowledged: ${ended || "none ended"}.${broken}${thresholds}`),
  );
}

function tiles() {
  const tile = (name, value, unit, note) =>
    element(
      "div",
      { class: "tile" },
      element("div", { class: "name" }, name),
      element("div", { class: "value" }, value, unit ? element("small", {}, unit) : null),
      element("div", { class: "note" }, ...[note].flat()),
    );
  const latency = (name, found) => {
    if (!found) return tile(name, "–", "", "none");
    const [value, unit] = duration(found.p99_ms).split(" ");
    const noWrap = (text) => element("span", {}, text);
    return tile(name, value, unit, [noWrap(`p50 ${duration(found.p50_ms)},`), " ", noWrap(`max ${duration(found.max_ms)}`)]);
  };
  return element(
    "section",
    { class: "tiles", "aria-label": "In short" },
    tile("Accepted", plain(summary.accepted_per_s), "/ s", `over ${seconds(summary.load_s)} of load`),
    tile("Finished", plain(summary.finished_per_s), "/ s", "until the last outcome"),
    latency("Accept, p99", summary.accept),
    latency("End to end, p99", summary.end_to_end),
    tile("Drain", plain(summary.drain_s, 1), "s", "after the load"),
    tile("Peak backlog", plain(summary.peak_backlog), "", "orders on both queues"),
  );
}

function boundCard() {
  const { bound, processors } = summary;
  if (!bound && !processors.length) return null;
  const made = element("section", { class: "card bound" }, element("h2", {}, "What limited it"));
  if (bound) {
    const share = bound.share === null || bound.doubt ? null : Math.round(bound.share * 100);
    made.append(element("p", {}, bound.text));
    if (bound.doubt) made.append(element("p", { class: "about" }, `${plain(bound.finished_per_s)} orders a second. ${bound.doubt}`));
    if (share !== null) {
      const fill = element("i");
      fill.style.width = `${Math.min(share, 100)}%`;
      made.append(element("div", { class: "meter", role: "img", "aria-label": `${share} %` }, fill));
      made.append(element("p", { class: "about" }, `${share} % of what this backend can do: ${plain(bound.finished_per_s)} of ${plain(bound.ceiling_per_s)} orders a second, as calibrated.`));
    }
  }
  if (!bound) made.append(element("p", { class: "about" }, "Not said of a burst that was broken off."));
  if (processors.length) {
    const shares = processors.map(({ name, cores }) => element("span", {}, `${name} `, element("b", {}, `${plain(cores * 100)} %`)));
    made.append(element("div", { class: "cores" }, element("span", {}, `Of one core (there are ${summary.machine.cpus}):`), ...shares));
  }
  return made;
}

function timeCharts() {
  const marks = timeMarks(summary.load_s, summary.faults);
  const common = {
    marks, sync: "time",
    xFormat: (value) => (value === null ? "" : `${plain(value, 1)} s`),
    cursorText: (value) => `second ${plain(value)}`,
  };
  const count = (value) => plain(value);
  const line = (name, shade, column, extra = {}) => ({ name, colour: shade, values: timeline[column], ...extra });

  const rates = card("Orders a second", "Meant to be sent, accepted with 202, and heard to have ended. An open loop: orders are sent on time whether or not earlier ones were answered.");
  const queues = card("On the queues", "Waiting, and in a worker's hands (dashed). Sampled once a second from SQS's approximate counts: for the picture, not for the verdict.");
  const accept = card("Accept latency", "From the intended send time to 202, of the orders answered in that second.");
  const whole = card("End-to-end latency", "From the intended send time to the outcome on the bus, of the orders finished in that second; and the age of the oldest unfinished order.");
  const later = [
    () => lineChart(rates, timeline.at_s, [
      line("meant", "asked", "intended", { dashed: true, width: 1.5 }),
      line("accepted", "accepted", "accepted"),
      line("finished", "finished", "finished", { fill: true }),
    ], { ...common, unit: count }),
    () => lineChart(queues, timeline.at_s, [
      line("work", "work", "work_visible", { fill: true }),
      line("work in flight", "work", "work_in_flight", { dashed: true, width: 1.5 }),
      line("express", "express", "express_visible", { fill: true }),
      line("express in flight", "express", "express_in_flight", { dashed: true, width: 1.5 }),
      line("alerts", "alerts", "alerts_visible"),
      line("alerts in flight", "alerts", "alerts_in_flight", { dashed: true, width: 1.5 }),
      line("dead letters", "ink", "dead_letters", { width: 1.5 }),
    ], { ...common, unit: count }),
    () => lineChart(accept, timeline.at_s, [
      line("p99", "accepted", "accept_p99_ms"),
      line("p50", "accepted", "accept_p50_ms", { dashed: true, width: 1.5 }),
    ], { ...common, log: true, unit: duration }),
    () => lineChart(whole, timeline.at_s, [
      line("p99", "finished", "end_to_end_p99_ms"),
      line("p50", "finished", "end_to_end_p50_ms", { dashed: true, width: 1.5 }),
      { name: "oldest unfinished", colour: "work", values: timeline.oldest_age_s.map((age) => (age === null ? null : age * 1000)), width: 1.5 },
    ], { ...common, log: true, unit: duration }),
  ];
  if (summary.faults.length) {
    const told = summary.faults.map((fault, place) => element("span", {}, element("b", {}, String(place + 1)), `${plain(fault.at_s, 1)} s: ${fault.text}`));
    rates.append(element("div", { class: "faults" }, ...told));
  }
  return { cards: [rates, queues, element("div", { class: "pair" }, accept, whole)], later };
}

function curveChart() {
  const made = card("Latency by percentile", "All orders, each counted. The axis stretches towards 100 %, so that the slowest show as clearly as the median.");
  // The maximum stands where one order in all of them stands.
  const place = (point, count) => (point.percentile >= 100 ? count : 1 / (1 - point.percentile / 100));
  const curves = [["accept", "accepted", summary.accept], ["end to end", "finished", summary.end_to_end]].filter(([, , found]) => found);
  const points = curves.map(([, , found]) => {
    const unique = new Map(found.curve.map((point) => [place(point, Math.max(found.count, 2)), point.ms]));
    return [...unique.entries()].sort((a, b) => a[0] - b[0]);
  });
  const draw = () => {
    if (!curves.length) return;
    const [xs, ...values] = uPlot.join(points.map((each) => [each.map(([x]) => x), each.map(([, ms]) => ms)]));
    const percent = (x) => `${plain(100 - 100 / x, 4)} %`;
    lineChart(made, xs, curves.map(([name, shade], place_) => ({ name, colour: shade, values: values[place_].map((value) => value ?? null) })), {
      log: true, logX: true, spanGaps: true, points: false, unit: duration, height: 280,
      xFormat: (x) => (x === null ? "" : percent(x)),
      cursorText: percent,
    });
  };
  const row = (name, found) => [name, ...["p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "mean_ms"].map((key) => number(duration(found[key]))), number(plain(found.count))];
  const numbers = curves.length ? table(["", ...["p50", "p90", "p95", "p99", "p99.9", "max", "mean", "orders"].map(number)], curves.map(([name, , found]) => row(name, found))) : null;
  return { made, draw, numbers };
}

function verdictCard() {
  const { verdict } = summary;
  const must = (count) => ({ text: plain(count), class: `number ${count ? "bad-text" : "good-text"}` });
  const rows = [
    ["attempted", number(plain(verdict.attempted)), soft("orders that the rig sent")],
    ["acknowledged", number(plain(verdict.acknowledged)), soft("answered 202: promised")],
    ["refused", number(plain(verdict.refused)), soft("answered 4xx, as an invalid order must be")],
    ["unavailable", number(plain(verdict.unavailable)), soft("5xx, 429 or no answer: nothing promised")],
    ["recovered", number(plain(verdict.recovered)), soft("not acknowledged, and landed all the same")],
    ["completed", number(plain(verdict.completed)), soft("made")],
    ["rejected", number(plain(verdict.rejected)), soft("sold out")],
    ["cancelled", number(plain(verdict.cancelled)), soft("in time")],
    ["dead-lettered", number(plain(verdict.dead_lettered)), soft("rest where they can be redriven")],
    ...(verdict.unsettled ? [["had not ended", number(plain(verdict.unsettled)), soft("when it was broken off: neither lost nor found")]] : []),
    ["alerts", number(plain(verdict.alerts_announced)), soft(`announced; ${plain(verdict.alerts_due)} were due${verdict.alerts_announced > verdict.alerts_due ? ", and orders without an answer may bring more" : ""}`)],
    ["lost", must(verdict.lost), soft("promised, and nowhere; or an outcome or alert never heard")],
    ["duplicated", must(verdict.duplicated), soft("ended twice, or one key stood for two orders")],
    ["unexpected", must(verdict.unexpected), soft("what nobody asked for")],
  ];
  return card("Verdict on every order", "The rig's own ledger of what it sent, held against the table, the dead-letter queues and the inbox of alerts after a full drain.", table([], rows));
}

function endingsCard() {
  const kinds = Object.entries(summary.verdict.endings);
  if (!kinds.length) return null;
  const endings = [...new Set(kinds.flatMap(([, ended]) => Object.keys(ended)))].sort();
  const rows = kinds.map(([kind, ended]) => [kind, ...endings.map((ending) => (ended[ending] ? number(plain(ended[ending])) : { text: "·", class: "number dead" }))]);
  return card("Where each kind ended", "", table(["kind", ...endings.map(number)], rows));
}

function findingsCard() {
  const { findings } = summary.verdict;
  if (!findings.length) return null;
  const rows = findings.map((found) => [{ text: found.verdict, class: "bad-text" }, { text: found.text, class: "text" }]);
  return card("What is wrong", "The first hundred findings. `orderboard show ORDER-ID` tells an order's story while the system still runs.", table([], rows));
}

function thresholdsCard() {
  if (!summary.expectations.length) return null;
  const rows = summary.expectations.map((each) => [
    element("code", {}, each.text),
    number(each.measured === null ? "–" : plain(each.measured, 3)),
    { text: each.met ? "✓ met" : "✗ missed", class: each.met ? "good-text" : "bad-text" },
  ]);
  return card("Thresholds", "", table(["expected", number("measured"), ""], rows));
}

function generatorCard() {
  const { generator } = summary;
  const share = generator.orders ? (100 * generator.late) / generator.orders : 0;
  const about = generator.late
    ? `Late orders count from the time they should have been sent, so they make latencies look worse, never better.`
    : "Every order left on time, so the latencies are the system's.";
  return card("The generator itself", about, definitions([
    ["sent", `${plain(generator.sent)} of ${plain(generator.orders)}${generator.not_sent ? ` (${plain(generator.not_sent)} never)` : ""}`],
    ["rate", `${plain(generator.achieved_rate, 1)} a second; meant ${plain(generator.intended_rate, 1)}`],
    [`late by ${plain(generator.late_after_ms)} ms`, `${plain(generator.late)} (${plain(share, 2)} %), ${plain(generator.waited_for_connection)} of them because every connection was busy`],
    ["lag", `p50 ${duration(generator.lag_p50_ms)}, p99 ${duration(generator.lag_p99_ms)}, max ${duration(generator.lag_max_ms)}`],
    ["connections", plain(generator.connections)],
  ]));
}

function costCard() {
  const { cost } = summary;
  const money = (usd) => (usd === null ? "–" : `$${usd.toLocaleString("en", { maximumSignificantDigits: 2 })}`);
  const rows = cost.requests.map((each) => [
    element("span", {}, `${each.service} ${each.operation}`, element("small", { class: "price" }, each.price || "no price known")),
    number(plain(each.requests)), number(plain(each.entries)), number(money(each.usd)),
  ]);
  const about = `${plain(cost.requests_per_1000_orders)} requests to AWS for 1,000 orders; there they would cost ${money(cost.usd_per_1000_orders)}. Counted in order-api and the workers; of the notifier, what it needs at most.`;
  return card("Cost", about, table(["", number("requests"), number("entries"), number("on AWS")], rows),
    element("p", { class: "about" }, element("small", {}, `Prices as of ${cost.prices_as_of}: ${cost.prices_source}`)));
}

function machineCard() {
  const { machine, memory: held } = summary;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const total = held.reduce((sum, each) => sum + each.megabytes, 0);
  const made = card("Machine and memory", "", definitions([
    ["system", machine.system],
    ["processor", `${machine.processor} (${plural(machine.cpus, "core", "cores")})`],
    ["memory", memory(machine.memory_megabytes)],
    ["versions", `Python ${machine.python}${versions ? `, ${versions}` : ""}`],
  ]));
  if (held.length) made.append(table(["held at the end", number("")], [...held.map((each) => [each.name, number(memory(each.megabytes))]), ["together", number(memory(total))]]));
  return made;
}

function settingsCard() {
  const { settings } = summary;
  return card("Settings", "", definitions([
    ["again", element("code", {}, settings.command)],
    ["profile", `${settings.profile}, ${plain(settings.orders)} orders over ${seconds(settings.duration_s)}`],
    ["mix", settings.mix],
    ["seed", String(settings.seed)],
    ["faults", settings.faults.join("; ") || "none"],
    ["disorder", settings.disorder || "none"],
    ["format", summary.format],
  ]));
}

function build() {
  const report = document.getElementById("report");
  const charts_ = timeCharts();
  const curve = curveChart();
  report.append(...[
    heading(), verdictBanner(), tiles(), boundCard(), findingsCard(), ...charts_.cards, curve.made,
    element("div", { class: "pair" },
      element("div", { class: "stack" }, verdictCard()),
      element("div", { class: "stack" }, ...[thresholdsCard(), endingsCard(), generatorCard()].filter(Boolean))),
    element("div", { class: "pair" },
      element("div", { class: "stack" }, costCard(), settingsCard()),
      element("div", { class: "stack" }, machineCard())),
    element("footer", {}, "Made by orderboard burst. This page needs no network; summary.json and timeline.csv beside it hold the same numbers."),
  ].filter(Boolean));
  charts_.later.forEach((draw) => draw());
  curve.draw();
  if (curve.numbers) curve.made.append(curve.numbers);
  keepInShape();
}

build();
