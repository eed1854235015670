/* report_tables.js - tables and words that several parts of the report use; the overview, the settings, how to reproduce. */
"use strict";

const Tables = (() => {
  const { byId, make, number } = Elements;

  const percent = (share, digits = 2) => (Number.isFinite(share) ? `${(100 * share).toFixed(digits)}%` : "none");
  const large = (value) => value.toLocaleString("en").replace(/,/g, "\u202f");
  const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "none");

  /* A path, which breaks behind a slash. */
  const breakable = (path) => path.split(/(?<=[/])/).flatMap((part) => [make("wbr"), part]);

  /* Heads, and rows of texts or elements; the first of a row is its head. words: so many columns, from the left, are no numbers. */
  function fill(table, heads, rows, words = 1) {
    const name = (k) => (k < words ? "word" : "");
    table.classList.add("numbers");
    table.replaceChildren(make("thead", {}, make("tr", {}, ...heads.map((head, k) => make("th", { scope: "col", className: name(k) }, head)))),
      make("tbody", {}, ...rows.map(([head, ...cells]) => make("tr", {}, make("th", { scope: "row" }, head), ...cells.map((cell, k) => make("td", { className: name(k + 1) }, cell))))));
  }

  function duration(seconds) {
    if (!(seconds >= 0))
      return "none";
    return seconds < 100 ? `${number(seconds, 3)} s` : seconds < 6000 ? `${number(seconds / 60, 3)} min` : `${number(seconds / 3600, 3)} h`;
  }

  /* ---- overview: a column a run ---- */

  const last = (list) => list[list.length - 1];
  const best = (log) => log.reduce((found, line) => (!found || line.val_top1 > found.val_top1 ? line : found), null);
  const sum = (log, key) => log.reduce((total, line) => total + (line[key] || 0), 0);

  const ROWS = [
    ["network", ({ model }) => model && `${model.arch} ${model.act}`],
    ["parameters", ({ model }) => model && large(model.parameters)],
    ["multiply-adds an image", ({ model }) => model && large(Math.round(model.macs))],
    ["images it sees", ({ model }) => model && `${model.side} x ${model.side} x ${model.channels}`],
    ["data", ({ results }) => results && results.data.split(";")[0]],
    ["measured on", ({ results }) => results && `${large(results.count)} images, ${results.split}`],
    ["top-1", ({ results }) => results && percent(results.top1)],
    ["its 95% interval", ({ results }) => results && `${percent(results.top1_from)} to ${percent(results.top1_to)}`],
    ["top-5", ({ results }) => results && percent(results.top5)],
    ["loss", ({ results }) => results && fixed(results.loss, 4)],
    ["macro F1", ({ results }) => results && percent(results.f1)],
    ["calibration error", ({ results }) => results && percent((results.calibrated || results.calibration).error)],
    ["best validation", ({ log }) => log.length && `${percent(best(log).val_top1)}, epoch ${best(log).epoch}`],
    ["epochs done", ({ log }) => log.length && `${last(log).epoch} of ${last(log).epochs}`],
    ["time in training", ({ log }) => log.length && duration(sum(log, "seconds"))],
    ["time in validation", ({ log }) => log.length && duration(sum(log, "val_seconds"))],
    ["images a second", ({ log }) => log.length && number(last(log).images_per_second, 4)],
  ];

  function overview(runs) {
    const rows = ROWS.map(([head, of]) => [head, ...runs.map((run) => of(run) || "")]).filter(([, ...cells]) => cells.some(Boolean));
    fill(byId("overview-table"), ["", ...runs.map((run) => run.name)], rows);
    byId("notes").replaceChildren(...runs.flatMap((run) => run.notes.map((note) => make("li", {}, runs.length > 1 ? `${run.name}: ${note}` : note))));
  }

  /* ---- settings ---- */

  const MAIN = ["arch", "act", "data", "epochs", "batch-size", "opt", "lr", "sched", "weight-decay", "smoothing", "loss", "aug", "img-size", "recipe", "seed", "threads", "plan"];
  const shown = (value) => (value === null || value === undefined ? "" : value === true ? "yes" : value === false ? "no" : String(value));

  function settings(runs) {
    const known = runs.filter((run) => run.settings), keys = [...new Set(known.flatMap((run) => Object.keys(run.settings)))];
    const row = (key) => [key, ...known.map((run) => shown(run.settings[key]))];
    const differs = ([, ...cells]) => cells.some((cell) => cell !== cells[0]);
    const table = (rows, id) => {
      const made = make("table", { id });
      fill(made, ["", ...known.map((run) => run.name)], rows);
      return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Settings" }, made);
    };
    const all = keys.map(row), unlike = all.filter(differs), main = MAIN.filter((key) => keys.includes(key)).map(row);
    byId("settings").hidden = !known.length;
    byId("setting-list").replaceChildren(...(unlike.length ? [make("h3", {}, "In which the runs differ"), table(unlike, "settings-unlike")] : []),
      ...(unlike.length ? [make("h3", {}, "The main ones")] : []), table(main, "settings-main"),
      make("p", { className: "hint" }, "0, auto and an empty place mean: as the architecture's recipe, or the data, say."),
      make("details", {}, make("summary", {}, `All ${keys.length}`), table(all, "settings-all")));
  }

  /* ---- how to reproduce ---- */

  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

  function commands(runs, version) {
    const blocks = runs.map((run) => {
      const name = quoted(run.name), lines = [];
      if (run.settings)
        lines.push("# the same training again, in a new folder", `convzoo train --config ${quoted(`${run.name.replace(/\/[^/]*\.safetensors$/, "").replace(/\/$/, "")}/args.json`)} --output again`);
      if (run.model)
        lines.push("# the figures of this page", `convzoo evaluate ${name}${run.results ? ` --split ${run.results.split}` : ""} --per-class - --confusion-matrix - --calibration -`);
      lines.push("# this page", `convzoo report ${runs.map((each) => quoted(each.name)).join(" ")} -o report.html`);
      return make("pre", { className: "commands" }, lines.join("\n"));
    });
    byId("commands").replaceChildren(...blocks, make("p", { className: "hint" },
      `With convzoo ${version}, the same data, the same seed and the same number of threads on the same kind of processor the weights are the same to the last bit; elsewhere the last digits differ.`));
  }

  return { fill, percent, large, fixed, duration, quoted, breakable, overview, settings, commands };
})();
