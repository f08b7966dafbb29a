// Builds the index of all runs: trends over the runs of one plan, and a table of every run.
"use strict";

const { runs } = embedded();
const when = (run) => new Date(run.started_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

function trends(plan) {
  const shown = runs.filter((run) => run.plan === plan);
  const xs = shown.map((_, at) => at + 1);
  const line = (name, shade, key, extra = {}) => ({ name, colour: shade, values: shown.map((run) => run[key]), ...extra });
  const common = {
    sync: "runs", points: true,
    xFormat: (value) => (Number.isInteger(value) ? `#${value}` : ""),
    cursorText: (value) => `${shown[value - 1].name}${shown[value - 1].valid ? "" : ", not valid"}`,
  };
  const thin = { dashed: true, width: 1.5 };
  const latencies = [
    line("accept p99", "accepted", "accept_p99_ms"), line("accept p50", "accepted", "accept_p50_ms", thin),
    line("end to end p99", "finished", "end_to_end_p99_ms"), line("end to end p50", "finished", "end_to_end_p50_ms", thin),
  ];
  const rates = [line("accepted", "accepted", "accepted_per_s"), line("finished", "finished", "finished_per_s")];
  return [
    ["Latency by run", latencies, { ...common, log: true, unit: duration }],
    ["Orders a second by run", rates, { ...common, unit: (value) => plain(value, 1) }],
    ["Drain by run", [line("drain", "work", "drain_s")], { ...common, unit: (value) => `${plain(value, 1)} s` }],
  ].filter(([, series]) => hasValues(series)).map(([title, series, options]) => {
    const made = card(title, "");
    return { made, draw: () => lineChart(made, xs, series, options) };
  });
}

/** The plans and what they are: those of several runs first, the newest first. */
function plans() {
  const many = (plan) => runs.filter((each) => each.plan === plan).length;
  const newest = new Map(runs.map((run) => [run.plan, run]));
  const order = [...newest.values()].sort((one, other) => (many(other.plan) > 1) - (many(one.plan) > 1) || other.started_at.localeCompare(one.started_at));
  return order.map((run) => [run.plan, `${plain(run.orders)} orders, ${run.load}, ${run.more} (${plural(many(run.plan), "run")})`]);
}

function runsTable() {
  const ms = (value) => number(duration(value));
  const link = (run) => (run.report ? element("a", { href: run.report }, run.name) : run.name);
  const rows = [...runs].reverse().map((run) => [
    element("span", {}, link(run), element("small", { class: "price" }, when(run))),
    { text: `${run.valid ? "✓" : "✗"} ${run.verdict}`, class: run.valid ? "good-text" : "bad-text" },
    element("span", { class: "plan" }, `${plain(run.orders)}: ${run.load}`, element("small", { class: "price" }, run.more)),
    number(plain(run.accepted_per_s)), ms(run.accept_p99_ms), ms(run.end_to_end_p99_ms), number(run.drain_s === null ? "–" : `${plain(run.drain_s, 1)} s`),
    element("span", {}, ...labels(run)),
  ]);
  const head = ["run", "", "orders", number("accepted/s"), number("accept p99"), number("end to end p99"), number("drain"), "tags, note"];
  return card("Runs", "The newest first, at most 200. Each leads to its report.", table(head, rows));
}

function build() {
  const report = document.getElementById("report");
  const wrong = runs.filter((run) => !run.valid).length;
  report.append(element("header", {}, element("h1", {}, plural(runs.length, "burst")), about(wrong ? `${plain(wrong)} not valid` : "All valid")));
  if (runs.length) {
    const choice = element("select", { "aria-label": "Plan" }, ...plans().map(([plan, text]) => element("option", { value: String(plan) }, text)));
    const place = element("div", { class: "stack" });
    const draw = () => {
      charts.splice(0).forEach(({ chart }) => chart.destroy());
      const made = trends(Number(choice.value));
      const [first, ...others] = made.map((each) => each.made);
      place.replaceChildren(first, element("div", { class: "pair" }, ...others));
      for (const { draw: drawn } of made) drawn();
    };
    choice.addEventListener("change", draw);
    report.append(element("label", { class: "choice" }, "Trend of the runs with the plan ", choice), place, runsTable());
    draw();
  }
  report.append(element("footer", {}, "Made by orderboard bursts. This page needs no network."));
  fitToWindow();
}

build();
