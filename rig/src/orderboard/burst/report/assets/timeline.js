// The charts over time of a burst, which ran or runs.
"use strict";

/**
 * Make the cards, and functions that draw them once the cards are in the page; each returns a function that draws again.
 * timeline: values by column, in which `growing` ones may still come. loadEnd: returns its second. faults: {at_s, text}.
 * What is not known is left out. ledger: false if only the answers are known.
 */
function timeCharts(timeline, loadEnd, faults, settings, { growing = false, ledger = true } = {}) {
  const common = {
    growing,
    marks: timeMarks(loadEnd, faults),
    sync: "time",
    xFormat: (value) => (value === null ? "" : `${plain(value, 1)} s`),
    cursorText: (value) => `second ${plain(value)}`,
  };
  const counts = { ...common, unit: (value) => plain(value) };
  const latencies = { ...common, log: true, unit: duration };
  const thin = { dashed: true, width: 1.5 };
  const line = (name, shade, column, extra = {}) => ({ name, colour: shade, values: timeline[column], ...extra });
  const queue = (name, extra) => [line(name, name, `${name}_visible`, extra), line(`${name} in flight`, name, `${name}_in_flight`, thin)];
  const percentiles = (shade, column) => [line("p99", shade, `${column}_p99_ms`), line("p50", shade, `${column}_p50_ms`, thin)];
  const later = [];
  const chart = (title, description, series, options) => {
    if (!growing && !hasValues(series)) return null;
    const made = card(title, description);
    later.push(() => lineChart(made, timeline.at_s, series, options));
    return made;
  };

  const model = settings.closed
    ? "Closed model: each client waits for its answer, and intends to send an order when it does."
    : "Open loop: orders are sent on time whether or not earlier ones were answered.";
  const rates = chart("Orders a second", `${ledger ? "Intended, accepted (202) and finished" : "Intended and accepted (202)"}. ${model}`, [
    line("intended", "asked", "intended", thin),
    line("accepted", "accepted", "accepted"),
    ...(ledger ? [line("finished", "finished", "finished", { fill: true })] : []),
  ], counts);
  const queues = ledger && chart("Messages in the queues", "Waiting, and in flight (dashed). SQS's approximate counts, sampled once a second: for the chart, not for the verdict.", [
    ...queue("work", { fill: true }), ...queue("express", { fill: true }), ...queue("alerts", {}),
    line("dead letters", "ink", "dead_letters", { width: 1.5 }),
  ], counts);
  // The number of clients is worth a chart where stages change it, such as 30s:10c..50c.
  const clients = settings.streams.some(({ load }) => /\dc\b/.test(load)) && chart("Clients", "Those that send, each after the answer to its last order.", [
    line("clients", "asked", "clients", { fill: true }),
  ], counts);
  const workers = settings.scaling && chart("Workers", `Running, by ${settings.scaling.replaceAll(",", ", ")}: target tracking, as ECS does it. Each change is a mark.`, [
    line("workers", "work", "workers", { fill: true }),
  ], counts);
  const accept = chart("Accept latency", "From the intended send time to the 202, by the second of the answer.", percentiles("accepted", "accept"), latencies);
  const whole = ledger && chart("End-to-end latency", "From the intended send time to the outcome event, by the second of the outcome; and the age of the oldest unfinished order.", [
    ...percentiles("finished", "end_to_end"),
    line("oldest unfinished", "work", "oldest_age_ms", { width: 1.5 }),
  ], latencies);
  const both = [accept, whole].filter(Boolean);
  return { cards: [rates, clients, queues, workers, both.length && element("div", { class: "pair" }, ...both)].filter(Boolean), later };
}

/** The legend of the numbered marks. */
const faultList = (faults) =>
  element("div", { class: "faults" }, ...faults.map((fault, place) => element("span", {}, element("b", {}, String(place + 1)), `${plain(fault.at_s, 1)} s: ${fault.text}`)));

const inMilliseconds = (seconds_) => (seconds_ === null ? null : seconds_ * 1000);
