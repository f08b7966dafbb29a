// Builds the page from the embedded document. Its texts are inserted as text, never as markup.
"use strict";

const { summary, timeline, headline } = embedded();
const ledger = summary.verdict.basis === "ledger"; // else only the answers are known
timeline.oldest_age_ms = timeline.oldest_age_s.map(inMilliseconds);

function heading() {
  const { settings } = summary;
  const when = new Date(summary.started_at).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" });
  const disorder = settings.disorder ? ` with disorder (${settings.disorder.replaceAll(",", ", ")})` : "";
  return element(
    "header",
    {},
    element("h1", {}, `A burst of ${plural(settings.orders, "order")}`),
    about(`${planOf(settings)} · ${settings.target || `${workersOf(settings)} · ${settings.backend} backend${disorder}`} · ${when}`),
    summary.note || summary.tags.length ? about(...labels(summary)) : null,
  );
}

function verdictBanner() {
  const { verdict, expectations } = summary;
  const good = verdict.valid || verdict.answered === true;
  const ended = listed([
    [verdict.completed, "completed"],
    [verdict.rejected, "rejected"],
    [verdict.cancelled, "cancelled"],
    [verdict.dead_lettered, "in a dead-letter queue"],
  ]);
  const missed = expectations.filter((each) => !each.met).length;
  const sentences = [
    `${plain(verdict.acknowledged)} of ${plain(verdict.attempted)} orders were acknowledged${!ledger ? "" : `: ${ended || "none ended"}`}.`,
    verdict.unproven.length ? `Not proven: ${verdict.unproven.join("; ")}.` : "",
    othersText(verdict.others),
    summary.broken_off,
    summary.broken_off && verdict.unsettled ? `Not ended by then: ${plain(verdict.unsettled)}.` : "",
    ...summary.warnings,
    expectations.length && (missed ? `${missed} of ${expectations.length} thresholds missed.` : "Every threshold was met."),
  ];
  return element(
    "section",
    { class: `card verdict ${good ? "good" : "bad"}` },
    element("span", { class: "mark", "aria-hidden": "true" }, good ? "✓" : "✗"),
    element("strong", {}, `${headline}.`),
    element("p", {}, ...withOptions(sentences.filter(Boolean).join(" "))),
  );
}

function othersText(others) {
  if (!others || !(others.finished || others.dead_letters)) return "";
  const examples = others.examples.length ? `, such as ${others.examples.join(", ")}` : "";
  return `Not judged, as others sent them: ${plain(others.finished)} orders that finished meanwhile, ${plain(others.dead_letters)} dead letters${examples}. Backlog and queues count all.`;
}

function tiles() {
  const tile = (name, value, unit, ...note) =>
    element(
      "div",
      { class: "tile" },
      element("div", { class: "name" }, name),
      element("div", { class: "value" }, value, unit ? element("small", {}, unit) : null),
      element("div", { class: "note" }, ...note),
    );
  const latency = (name, found) => {
    if (!found) return tile(name, "–", "", "none");
    const unbroken = (text) => element("span", {}, text);
    return tile(name, ...duration(found.p99_ms).split(" "), unbroken(`p50 ${duration(found.p50_ms)},`), " ", unbroken(`max ${duration(found.max_ms)}`));
  };
  return element(
    "section",
    { class: "tiles", "aria-label": "Key figures" },
    tile("Accepted", plain(summary.accepted_per_s), "/ s", `over ${seconds(summary.load_s)} of load`),
    ...(!ledger ? [latency("Accept, p99", summary.accept)] : [
    tile("Finished", plain(summary.finished_per_s), "/ s", summary.last_outcome_s === null ? "none" : `until the last outcome, at ${seconds(summary.last_outcome_s)}`),
    latency("Accept, p99", summary.accept),
    latency("End to end, p99", summary.end_to_end),
    tile("Drain", plain(summary.drain_s, 1), "s", "after the load", ...(summary.settled_s === null ? [] : [`, ${seconds(summary.settled_s)} with alerts`])),
    tile("Peak backlog", plain(summary.peak_backlog), "", "orders in both queues"),
    ]),
  );
}

function bottleneckCard() {
  const { bound, processors } = summary;
  if (!bound && !processors.length) return null;
  const made = element("section", { class: "card bottleneck" }, element("h2", {}, "Bottleneck"));
  if (bound) {
    const name = { load: "None", unclear: "Unclear" }[bound.by] ?? `The ${bound.by}`;
    made.append(element("p", {}, `${name}. ${bound.text}`));
    if (bound.doubt) made.append(about(`${plain(bound.worked_off_per_s)} orders worked off a second. ${bound.doubt}`));
    else if (bound.share !== null) {
      const share = `${Math.round(bound.share * 100)} %`;
      const fill = element("i");
      fill.style.width = `${Math.min(bound.share * 100, 100)}%`;
      made.append(
        element("div", { class: "meter", role: "img", "aria-label": share }, fill),
        about(`${share} of the backend's calibrated ceiling: ${plain(bound.worked_off_per_s)} of ${plain(bound.ceiling_per_s)} orders worked off a second.`),
      );
    }
  } else made.append(about("Not determined, because the burst was broken off."));
  if (processors.length) {
    const shares = processors.map(({ name, cores }) => element("span", {}, `${name} `, element("b", {}, `${plain(cores * 100)} %`)));
    made.append(element("div", { class: "cores" }, element("span", {}, `Share of one core (of ${summary.machine.cpus}):`), ...shares));
  }
  if (summary.processor_time) {
    const { system_s, rig_s } = summary.processor_time;
    const share = plain((100 * rig_s) / Math.max(system_s + rig_s, 0.001));
    made.append(about(`Processor time: ${plain(system_s, 1)} s by the system, ${plain(rig_s, 1)} s by the rig itself (${share} % of both).`));
  }
  return made;
}

function curveChart() {
  const curves = [["accept", "accepted", summary.accept], ["end to end", "finished", summary.end_to_end]].filter(([, , found]) => found);
  if (!curves.length) return { made: null, draw: () => {} };
  const made = card("Latency by percentile", "All orders. The axis stretches towards 100 %, so that the slowest show as clearly as the median.");
  // The maximum is placed at one order in all of them.
  const place = (point, orders) => (point.percentile >= 100 ? orders : 1 / (1 - point.percentile / 100));
  const draw = () => {
    const points = curves.map(([, , found]) => {
      const unique = new Map(found.curve.map((point) => [place(point, Math.max(found.count, 2)), point.ms]));
      return [...unique.entries()].sort((a, b) => a[0] - b[0]);
    });
    const [xs, ...values] = uPlot.join(points.map((each) => [each.map(([x]) => x), each.map(([, ms]) => ms)]));
    const percent = (x) => `${plain(100 - 100 / x, 4)} %`;
    const series = curves.map(([name, shade], at) => ({ name, colour: shade, values: values[at].map((value) => value ?? null) }));
    lineChart(made, xs, series, {
      log: true, logX: true, spanGaps: true, points: false, unit: duration, height: 280,
      xFormat: (x) => (x === null ? "" : percent(x)),
      cursorText: percent,
    });
    const columns = { p50: "p50_ms", p90: "p90_ms", p95: "p95_ms", p99: "p99_ms", "p99.9": "p999_ms", max: "max_ms", mean: "mean_ms" };
    const rows = curves.map(([name, , found]) => [name, ...Object.values(columns).map((key) => number(duration(found[key]))), count(found.count)]);
    made.append(table(["", ...[...Object.keys(columns), "orders"].map((name) => number(name))], rows));
  };
  return { made, draw };
}

function groupsCard() {
  const { groups } = summary;
  if (groups.length < 2) return null;
  const several = groups.some((each) => each.by === "stream");
  const columns = { p50: "p50_ms", p90: "p90_ms", p99: "p99_ms", max: "max_ms" };
  const of = ledger ? ["accept", "end_to_end"] : ["accept"];
  const head = ["", "orders", ...of.flatMap((name) => Object.keys(columns).map((key, at) => (at ? key : `${name.replaceAll("_", " ")} ${key}`)))];
  const rows = groups.map((each) => [
    element("span", {}, each.by === "stream" ? "stream " : "", each.by === "stream" ? element("b", {}, each.name) : each.name),
    count(each.orders),
    ...of.flatMap((name) => Object.values(columns).map((key) => number(each[name] ? duration(each[name][key]) : "–"))),
  ]);
  return card(
    several ? "Latency by stream and kind of order" : "Latency by kind of order",
    "From the intended send time. A refused order was not accepted, and a poisoned one has no outcome event.",
    table(head.map((name, at) => (at ? number(name) : name)), rows),
  );
}

const STEP_COLOURS = { accept: "accepted", sns_to_queue: "express", waiting: "work", queue: "work", working: "finished", outcome: "alerts" };
const stepName = (name) => ({ sns_to_queue: "SNS to queue" })[name] ?? name;

function stepsCard() {
  const { steps: found } = summary;
  if (!found || !found.measured) return null;
  const left = found.sampled - found.measured;
  const followed = `${plain(found.measured)} of ${plain(summary.end_to_end.count)} finished orders were followed${left ? `, and ${plain(left)} more of which a step is not known` : ""}.`;
  const most = Math.max(...found.splits.map((each) => each.end_to_end_ms));
  const swatch = (name) => {
    const made = element("i", { class: "swatch" });
    made.style.background = `var(--${STEP_COLOURS[name]})`;
    return made;
  };
  const bars = found.splits.flatMap((each) => {
    const parts = found.steps.map(({ name }, at) => {
      const part = element("i", { title: `${stepName(name)}: ${duration(each.steps_ms[at])}` });
      part.style.width = `${(100 * each.steps_ms[at]) / most}%`;
      part.style.background = `var(--${STEP_COLOURS[name]})`;
      return part;
    });
    const said = found.steps.map(({ name }, at) => `${stepName(name)} ${duration(each.steps_ms[at])}`).join(", ");
    return [
      element("span", {}, each.percentile === null ? "all" : `p${each.percentile}`, element("small", {}, plural(each.orders, "order"))),
      element("div", { class: "split", role: "img", "aria-label": said }, ...parts),
      element("b", {}, duration(each.end_to_end_ms)),
    ];
  });
  const percentiles = ["p50_ms", "p90_ms", "p99_ms", "max_ms", "mean_ms"];
  const row = (each, mark) => [
    element("span", {}, mark, stepName(each.name)),
    ...percentiles.map((key) => number(duration(each[key]))), { text: each.text, class: "soft wide" },
  ];
  const rows = found.steps.map((each) => row(each, swatch(each.name)));
  if (found.alert) rows.push(row(found.alert, ""));
  return card(
    "Where the time went",
    "Percentiles of steps do not add up, because the slowest order of one step is seldom the slowest of another; so each bar is the mean of whole orders, those around that percentile of end to end.",
    element("div", { class: "bars splits" }, ...bars),
    table(["step", ...["p50", "p90", "p99", "max", "mean"].map((name) => number(name)), "ends"], rows),
    about(element("small", {}, `${followed} ${found.text}`)),
  );
}

function verdictCard() {
  const { verdict } = summary;
  const must = (value) => number(plain(value), value ? "bad-text" : "good-text");
  const more = verdict.alerts_announced > verdict.alerts_due ? "; orders without an answer may cause more" : "";
  const rows = [
    ["attempted", count(verdict.attempted), soft("orders sent")],
    ["acknowledged", count(verdict.acknowledged), soft("answered 202")],
    ["refused", count(verdict.refused), soft("answered 4xx, as an invalid order must be")],
    ...(verdict.refused_unmeant ? [["refused, not meant", must(verdict.refused_unmeant), soft("of those refused: orders that should be accepted")]] : []),
    ["unavailable", count(verdict.unavailable), soft("5xx, 429 or no answer: placed or not, and never twice")],
    ...(verdict.unreached ? [["unreached", count(verdict.unreached), soft("of those unavailable: no connection was made, so they must not exist")]] : []),
    ["recovered", count(verdict.recovered), soft("not acknowledged, but recorded all the same")],
    ["completed", count(verdict.completed), soft("made")],
    ["rejected", count(verdict.rejected), soft("sold out")],
    ["cancelled", count(verdict.cancelled), soft("in time")],
    ["dead-lettered", count(verdict.dead_lettered), soft("in a dead-letter queue, ready for a redrive")],
    ...(verdict.dead_lettered_duplicates ? [["dead-lettered duplicates", count(verdict.dead_lettered_duplicates), soft("of orders that ended once; a redrive only repeats the outcome")]] : []),
    ...(verdict.unsettled ? [["not ended", count(verdict.unsettled), soft("when the burst was broken off: neither lost nor found")]] : []),
    ["alerts", count(verdict.alerts_announced), soft(`announced; ${plain(verdict.alerts_due)} were due${more}`)],
    ["lost", must(verdict.lost), soft("acknowledged orders, outcome events and alerts that are missing")],
    ["duplicated", must(verdict.duplicated), soft("ended twice, or two orders for one key")],
    ["unexpected", must(verdict.unexpected), soft(ledger ? "unknown orders, wrong endings and alerts that were not due" : "orders that should have been refused, or two orders for one key")],
  ];
  if (!ledger) {
    const known = ["attempted", "acknowledged", "refused", "refused, not meant", "unavailable", "unreached", "unexpected"];
    return card("Verdict on the answers", "The stack of this order-api was not read.", table([], rows.filter(([name]) => known.includes(name))));
  }
  return card("Verdict on every order", "The rig's record of what it sent, compared with the table, the dead-letter queues and the alert inbox after the drain.", table([], rows));
}

function endingsCard() {
  const kinds = Object.entries(summary.verdict.endings);
  if (!kinds.length) return null;
  const endings = [...new Set(kinds.flatMap(([, ended]) => Object.keys(ended)))].sort();
  const rows = kinds.map(([kind, ended]) => [kind, ...endings.map((ending) => (ended[ending] ? count(ended[ending]) : number("·", "dead")))]);
  return card("Endings by kind", "", table(["kind", ...endings.map((ending) => number(ending))], rows));
}

function findingsCard() {
  const { findings } = summary.verdict;
  if (!findings.length) return null;
  const rows = findings.map((found) => [{ text: found.verdict, class: "bad-text" }, { text: found.text, class: "text" }]);
  return card("Findings", "The first hundred.", table([], rows));
}

function refusalsCard() {
  const { refusals } = summary.verdict;
  if (!refusals.length) return null;
  const rows = refusals.map((each) => [
    { text: each.meant ? "as meant" : "not meant", class: each.meant ? "soft" : "bad-text" },
    count(each.orders), each.kind, { text: each.reason, class: "text" },
    element("span", { class: "example" }, each.line === null ? "" : `line ${each.line}: `, each.example === null ? "" : element("code", {}, each.example)),
  ]);
  return card("Refused orders", "By reason, each with an example.", table(["", number("orders"), "kind", "reason", "example"], rows));
}

function thresholdsCard() {
  if (!summary.expectations.length) return null;
  const rows = summary.expectations.map((each) => [
    element("code", {}, each.text),
    number(each.measured === null ? "nothing to measure" : `${plain(each.measured, 3)} ${each.unit}`.trim()),
    { text: each.met ? "✓ met" : "✗ missed", class: each.met ? "good-text" : "bad-text" },
  ]);
  return card("Thresholds", "", table(["expected", number("measured"), ""], rows));
}

function generatorCard() {
  const { generator } = summary;
  const share = generator.orders ? (100 * generator.late) / generator.orders : 0;
  const description = generator.each.some((one) => one.ended)
    ? "A generator ended before it was done, so the latencies are not those of the load that was asked for."
    : generator.late
    ? "Late orders count from the time when they should have been sent, so they make latencies look worse, never better."
    : "Every order was sent on time, so the latencies are the system's.";
  const never = generator.not_sent ? ` (${plain(generator.not_sent)} never)` : "";
  return card("Load generator", description, definitions([
    ["sent", `${plain(generator.sent)} of ${plain(generator.orders)}${never}`],
    ["rate", `${plain(generator.achieved_rate, 1)} a second; intended ${plain(generator.intended_rate, 1)}`],
    [`late by ${plain(generator.late_after_ms)} ms`, `${plain(generator.late)} (${plain(share, 2)} %), ${plain(generator.waited_for_connection)} of them because every connection was busy`],
    ["delay", `p50 ${duration(generator.lag_p50_ms)}, p99 ${duration(generator.lag_p99_ms)}, max ${duration(generator.lag_max_ms)}`],
    ["connections", plain(generator.connections)],
  ]), generatorsTable(generator.each));
}

function generatorsTable(each) {
  if (each.length < 2 && !each.some((one) => one.machine || one.ended)) return null;
  const rows = each.map((one) => [
    element("span", one.ended ? { class: "bad-text" } : {}, `${one.number} ${one.machine}`, one.ended ? element("small", { class: "price" }, `ended: ${one.ended}`) : null),
    count(one.sent), number(plain(one.achieved_rate, 1)), number(plain(one.late), one.late ? "bad-text" : ""),
    number(duration(one.lag_p99_ms)), number(one.cores === null ? "–" : `${plain(one.cores * 100)} %`),
    number(one.clock_error_ms === null ? "none" : duration(one.clock_error_ms)),
  ]);
  return table(["generator", ...["sent", "a second", "late", "p99 delay", "core", "clock ±"].map((name) => number(name))], rows);
}

function costCard() {
  const { cost } = summary;
  const money = (usd) => (usd === null ? "–" : `$${usd.toLocaleString("en", { maximumSignificantDigits: 2 })}`);
  const rows = cost.requests.map((each) => [
    element("span", {}, `${each.service} ${each.operation}`, element("small", { class: "price" }, each.price || "price unknown")),
    count(each.requests), count(each.entries), number(money(each.usd)),
  ]);
  const description = `1,000 orders take ${cost.estimated ? "at most " : ""}${plain(cost.requests_per_1000_orders)} requests, which cost ${money(cost.usd_per_1000_orders)} on AWS. ${cost.estimated ? "Estimated from the number of orders: an upper limit." : "Counted in order-api and the workers; an upper limit for the notifier."}`;
  return card("Cost", description, table(["", number("requests"), number("entries"), number("on AWS")], rows),
    about(element("small", {}, `Prices as of ${cost.prices_as_of}: ${cost.prices_source}`)));
}

function machineCard() {
  const { machine, memory: processes } = summary;
  const versions = Object.entries(machine.versions).map(([name, version]) => `, ${name} ${version}`).join("");
  const total = processes.reduce((sum, each) => sum + each.megabytes, 0);
  const rows = [...processes, { name: "total", megabytes: total }].map((each) => [each.name, number(memory(each.megabytes))]);
  return card(processes.length ? "Machine and memory" : "Machine of the generator", "", definitions([
    ["system", machine.system],
    ["processor", `${machine.processor} (${plural(machine.cpus, "core")})`],
    ["memory", memory(machine.memory_megabytes)],
    ["versions", `Python ${machine.python}${versions}`],
  ]), processes.length ? table(["memory at the end", number("")], rows) : null);
}

function settingsCard() {
  const { settings } = summary;
  return card("Settings", "", definitions([
    ["command", element("code", {}, settings.command)],
    ["profile", `${settings.profile}, ${plain(settings.orders)} orders over ${seconds(settings.duration_s)}`],
    ...(settings.streams.length > 1 ? settings.streams.map((each) => [`stream ${each.name}`, `${each.load}; ${each.mix}`]) : []),
    ...(settings.target ? [["system", settings.target]] : []),
    ...(ledger ? [["workers", (settings.scaling || (settings.worker === "lambda" ? "a Lambda function" : String(settings.workers))).replaceAll(",", ", ")]] : []),
    ["mix", settings.mix],
    ...(settings.generators > 1 ? [["generators", String(settings.generators)]] : []),
    ["seed", String(settings.seed)],
    ...(ledger ? [["faults", settings.faults.join("; ") || "none"], ["disorder", settings.disorder || "none"]] : []),
    ["format", summary.format],
  ]));
}

function build() {
  const charts_ = timeCharts(timeline, () => summary.load_s, summary.faults, summary.settings, { ledger });
  const curve = curveChart();
  const stack = (...cards) => element("div", { class: "stack" }, ...cards);
  document.getElementById("report").append(...[
    heading(), verdictBanner(), tiles(), bottleneckCard(), findingsCard(), refusalsCard(), ...charts_.cards, curve.made, groupsCard(), stepsCard(),
    element("div", { class: "pair" }, stack(verdictCard()), stack(thresholdsCard(), endingsCard(), generatorCard())),
    element("div", { class: "pair" }, stack(costCard()), stack(machineCard(), settingsCard())),
    element("footer", {}, "Made by orderboard burst. This page needs no network; summary.json and timeline.csv have the same numbers."),
  ].filter(Boolean));
  if (summary.faults.length) charts_.cards[0]?.append(faultList(summary.faults));
  charts_.later.forEach((draw) => draw());
  curve.draw();
  fitToWindow();
}

build();
