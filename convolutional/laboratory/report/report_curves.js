/* report_curves.js - what logs say of each epoch: loss, accuracy, learning rate, speed; several runs in one figure.
 *
 *   Curves.start([{ name, log, style }, ...])      style: 0, 1, ... unless it is given
 *   Curves.choose(runs)                            others, in the same figures */
"use strict";

const Curves = (() => {
  const { byId, make, number } = Elements;
  const { percent, fixed } = Tables;
  const DOTS_MOST = 40;

  /* What a figure shows: keys of the log, those of training dashed. */
  const FIGURES = [
    { id: "loss", label: "loss", keys: ["train_loss", "val_loss"] },
    { id: "top1", label: "top-1, %", keys: ["train_top1", "val_top1"], factor: 100 },
    { id: "rate", label: "learning rate at the epoch's end", keys: ["lr"] },
    { id: "speed", label: "images a second in training", keys: ["images_per_second"], zero: true },
  ];
  const COLUMNS = [
    { head: "training loss", of: (line) => fixed(value(line, "train_loss"), 4) },
    { head: "validation loss", of: (line) => fixed(value(line, "val_loss"), 4) },
    { head: "training top-1", of: (line) => percent(value(line, "train_top1")) },
    { head: "validation top-1", of: (line) => percent(value(line, "val_top1")) },
    { head: "learning rate", of: (line) => number(value(line, "lr"), 4) },
    { head: "images/s", of: (line) => number(value(line, "images_per_second"), 4) },
  ];
  const HINT = "Whole lines: validation; broken ones: training. ";
  let columns = COLUMNS, runs = [], plots = [], epochs = [], cursor = 1;

  const styleOf = (run, k) => run.style ?? k;
  const value = (line, key) => (typeof line[key] === "number" ? line[key] : NaN);

  function series(figure) {
    return runs.flatMap((run, k) => figure.keys.flatMap((key) => {
      const points = run.log.map((line) => [line.epoch, (figure.factor || 1) * value(line, key)]);
      const row = { name: `${run.name} ${key}`, style: styleOf(run, k), dashed: key.startsWith("train"), points };
      return points.length > DOTS_MOST ? [row] : [row, { ...row, dots: true, points: points.filter((p) => Number.isFinite(p[1])) }];
    }));
  }

  function nearest(x) {
    const best = epochs.reduce((near, epoch) => (Math.abs(epoch - x) < Math.abs(near - x) ? epoch : near), epochs[0]);
    if (best !== cursor || x === best)
      return best;
    /* A step of the arrow keys may be less than an epoch. */
    return epochs[Math.max(0, Math.min(epochs.length - 1, epochs.indexOf(best) + Math.sign(x - cursor)))];
  }

  function read() {
    const at = runs.map((run) => run.log.find((line) => line.epoch === cursor));
    for (const { plot, figure } of plots) {
      const marks = at.flatMap((line, k) => (line ? figure.keys.map((key) => [(figure.factor || 1) * value(line, key), styleOf(runs[k], k)]) : []));
      plot.cursor(cursor, marks, `epoch ${cursor}: ${marks.map(([y]) => number(y, 4)).join(", ")}`);
    }
    Tables.fill(byId("reading"), [`epoch ${cursor}`, ...columns.map(({ head }) => head)],
      runs.map((run, k) => [make("span", {}, Plot.swatch(styleOf(run, k)), " ", run.name), ...columns.map(({ of }) => of(at[k] || {}))]));
  }

  function draw() {
    const from = epochs[0], to = epochs[epochs.length - 1];
    for (const { plot, figure } of plots) {
      const rows = series(figure), most = Math.max(0, ...rows.flatMap((row) => row.points.map((p) => p[1])).filter(Number.isFinite));
      plot.draw({ series: rows, x: from === to ? { from: from - 0.5, to: to + 0.5 } : { from, to }, y: figure.zero ? { from: 0, to: 1.06 * most || 1 } : {} });
    }
  }

  function choose(shown) {
    runs = shown;
    epochs = [...new Set(runs.flatMap((run) => run.log.map((line) => line.epoch)))].filter(Number.isFinite).sort((a, b) => a - b);
    epochs = epochs.length ? epochs : [1];
    cursor = epochs.includes(cursor) ? cursor : epochs[epochs.length - 1];
    draw();
    read();
  }

  function start(all, { figures = FIGURES, shown = COLUMNS, hint = HINT } = {}) {
    columns = shown;
    cursor = NaN;      /* choose takes the last epoch */
    byId("curves").hidden = !all.some((run) => run.log.length);
    if (byId("curves").hidden)
      return;
    plots = figures.map((figure) => {
      const box = make("div", { className: "chart", id: `curve-${figure.id}` });
      byId("curve-list").append(make("figure", {}, make("figcaption", {}, figure.label), box));
      const plot = Plot.create(box, { label: figure.label, x: { label: "epoch", whole: true }, y: { label: "" }, onCursor: (x) => { cursor = nearest(x); read(); } });
      return { plot, figure };
    });
    byId("legend").replaceChildren(hint, ...(all.length > 1 ? all.map((run, k) => make("span", { className: "key" }, Plot.swatch(styleOf(run, k)), " ", run.name)) : []));
    choose(all);
  }

  return { start, choose };
})();
