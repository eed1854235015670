/* sweep_tables.js - tables of a sweep: its choices, what every two of them differ by, its runs; how to reproduce. */
"use strict";

const SweepTables = (() => {
  const { byId, make, drawn, number } = Elements;
  const { fill, fixed, duration, quoted } = Tables;
  const WIDTH = 130, HEIGHT = 18, EDGE = 6, REPORTED = 16;

  const known = Number.isFinite;
  const mebibytes = (bytes) => (known(bytes) ? `${number(bytes / 2 ** 20, 4)} MiB` : "");
  const time = (seconds) => (known(seconds) ? duration(seconds) : "");
  const points = (value, digits = 2) => (known(value) ? fixed(value, digits) : "");
  const lossText = (value) => (value > 1e5 ? number(value, 4) : points(value, 4));
  const signed = (value) => (known(value) ? `${value > 0 ? "+" : ""}${value.toFixed(2)}`.replace("-", "\u2212") : "");
  const chance = (p) => (known(p) ? make("span", p < 0.05 ? { className: "believed" } : {}, number(p, 2)) : "");

  /* Each run as a dot, their mean as a line, on the scale of all of them. */
  function strip(choice, runs, from, to) {
    const place = (value) => EDGE + (value - from) / (to - from || 1) * (WIDTH - 2 * EDGE), values = runs.map((run) => run.best).filter(known);
    return drawn("svg", { class: "strip", width: WIDTH, height: HEIGHT, role: "img", "aria-label": `best of each run: ${values.map((value) => value.toFixed(2)).join(", ")}` },
      drawn("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "rail" }),
      ...values.map((value) => drawn("circle", { cx: place(value), cy: HEIGHT / 2, r: 3.5 })),
      ...(known(choice.mean) ? [drawn("line", { x1: place(choice.mean), x2: place(choice.mean), y1: 1, y2: HEIGHT - 1, class: "mean" })] : []));
  }

  function overview({ axes, choices, runs, seeds, leader }) {
    const done = runs.filter((run) => run.state === "done").length, failed = runs.filter((run) => run.state === "failed").length;
    byId("about").textContent = `${choices.length} choice${choices.length === 1 ? "" : "s"} of ${axes.map(({ name }) => name).join(", ")}, ${seeds} seed${seeds === 1 ? "" : "s"} each: `
      + `${done} of ${runs.length} runs are done${failed ? `, ${failed} failed` : ""}.`;
    const first = choices[leader];
    const among = first && choices.some((choice) => choice.runs !== first.runs) ? ", of the choices with the most runs," : "";
    byId("leader").textContent = first ? `The best mean${among} is that of ${first.name}: ${points(first.mean)}%${known(first.deviation) ? `, deviation ${points(first.deviation)} points` : ""}.` : "No run is done yet.";
    const finished = runs.filter((run) => run.state === "done" && known(run.best)), bests = finished.map((run) => run.best), from = Math.min(...bests), to = Math.max(...bests);
    const row = (choice) => {
      const [head, ...values] = choice.values, swatch = choice.curve.length ? [Plot.swatch(choice.style), " "] : [];
      return [make("span", {}, ...swatch, head), ...values, String(choice.runs), points(choice.mean), points(choice.deviation),
              strip(choice, finished.filter((run) => choices[run.choice] === choice), from, to), points(choice.best), points(choice.behind), chance(choice.p), time(choice.seconds), mebibytes(choice.memory)];
    };
    fill(byId("choice-table"), [...axes.map(({ name }) => name), "runs", "mean, %", "deviation", "each run", "best, %", "behind", "p", "time", "memory"],
      [...choices].sort((a, b) => a.style - b.style).map(row), axes.length);
  }

  function comparisons({ choices, comparisons: list }) {
    const rows = list.filter(([, , difference]) => known(difference)).sort((a, b) => (a[3] ?? 2) - (b[3] ?? 2) || Math.abs(b[2]) - Math.abs(a[2]));
    byId("comparisons").hidden = !rows.length;
    const all = list.length === choices.length * (choices.length - 1) / 2;
    byId("comparisons-about").textContent = `The second's mean less the first's, in points, over equal seeds, the least likely by chance first; ${all ? "" : "here of the best choice with each other one, "}all are in comparisons.csv.`;
    fill(byId("comparison-table"), ["first", "second", "difference", "p"], rows.map(([first, second, difference, p]) => [choices[first].name, choices[second].name, signed(difference), chance(p)]), 2);
  }

  function runs({ runs: list }) {
    const inside = (run) => run.state === "done" || run.epochs > 0, path = (run) => encodeURIComponent(run.name);
    fill(byId("run-table"), ["run", "state", "epochs", "best, %", "last, %", "last loss", "time", "memory"], list.map((run) => [
      inside(run) ? make("a", { href: `${path(run)}/` }, run.name) : run.name, run.state === "to do" ? run.state : make("a", { href: `logs/${path(run)}.log` }, run.state), String(run.epochs),
      points(run.best), points(run.last), lossText(run.loss), run.seconds > 0 ? time(run.seconds) : "", mebibytes(run.memory)]), 2);
  }

  function settings({ settings: common }) {
    byId("settings").hidden = !Object.keys(common).length;
    fill(byId("setting-table"), ["setting", "value"], Object.entries(common), 2);
  }

  /* Values with commas in them are parted by semicolons. */
  function option(name, value) {
    return value === "true" ? `--${name}` : value === "false" ? `--no-${name}` : `--${name} ${quoted(value)}`;
  }

  const varied = ({ name, values }) => {
    const text = values.join(values.some((value) => value.includes(",")) ? ";" : ",");
    return name === "arch" ? `--arch ${quoted(text)}` : `--set ${quoted(`${name}=${text}`)}`;
  };

  function commands({ name, version, axes, seed, seeds, settings: common, choices, runs: list, leader }) {
    const lines = ["# the same sweep again, in a new folder",
                   ["convzoo sweep", ...axes.map(varied), `--seeds ${seeds}`, `--seed ${seed}`, ...Object.entries(common).map(([key, value]) => option(key, value)), "--output again"].join(" ")];
    const best = list.filter((run) => choices[run.choice] === choices[leader] && run.state === "done").slice(0, REPORTED);
    if (best.length)
      lines.push("# all about the best choice's runs: confusion matrix, mistakes, layers", `convzoo report ${best.map((run) => quoted(`${name}/${run.name}`)).join(" ")} -o report.html`);
    byId("commands").replaceChildren(make("pre", { className: "commands" }, lines.join("\n")), make("p", { className: "hint" },
      `With convzoo ${version}, the same data and the same number of threads on the same kind of processor the numbers are the same to the last bit.`));
  }

  return { overview, comparisons, runs, settings, commands };
})();
