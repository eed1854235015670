/* report_curves.js - what the log says of each epoch: loss, accuracy, learning rate, speed; several runs in one figure. */
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
  let runs = [], plots = [], epochs = [], cursor = 1;

  const value = (line, key) => (typeof line[key] === "number" ? line[key] : NaN);

  function series(figure) {
    return runs.flatMap((run, k) => figure.keys.flatMap((key) => {
      const points = run.log.map((line) => [line.epoch, (figure.factor || 1) * value(line, key)]);
      const row = { name: `${run.name} ${key}`, style: k, dashed: key.startsWith("train"), points };
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
      const marks = at.flatMap((line, k) => (line ? figure.keys.map((key) => [(figure.factor || 1) * value(line, key), k]) : []));
      plot.cursor(cursor, marks, `epoch ${cursor}: ${marks.map(([y]) => number(y, 4)).join(", ")}`);
    }
    Tables.fill(byId("reading"), [`epoch ${cursor}`, "training loss", "validation loss", "training top-1", "validation top-1", "learning rate", "images/s"],
      runs.map((run, k) => {
        const line = at[k] || {};
        return [make("span", {}, Plot.swatch(k), " ", run.name), fixed(value(line, "train_loss"), 4), fixed(value(line, "val_loss"), 4), percent(value(line, "train_top1")),
                percent(value(line, "val_top1")), number(value(line, "lr"), 4), number(value(line, "images_per_second"), 4)];
      }));
  }

  function draw() {
    const from = epochs[0], to = epochs[epochs.length - 1];
    for (const { plot, figure } of plots) {
      const rows = series(figure), most = Math.max(0, ...rows.flatMap((row) => row.points.map((p) => p[1])).filter(Number.isFinite));
      plot.draw({ series: rows, x: from === to ? { from: from - 0.5, to: to + 0.5 } : { from, to }, y: figure.zero ? { from: 0, to: 1.06 * most || 1 } : {} });
    }
  }

  function start(all) {
    runs = all;
    epochs = [...new Set(runs.flatMap((run) => run.log.map((line) => line.epoch)))].filter(Number.isFinite).sort((a, b) => a - b);
    byId("curves").hidden = !epochs.length;
    if (!epochs.length)
      return;
    cursor = epochs[epochs.length - 1];
    plots = FIGURES.map((figure) => {
      const box = make("div", { className: "chart", id: `curve-${figure.id}` });
      byId("curve-list").append(make("figure", {}, make("figcaption", {}, figure.label), box));
      const plot = Plot.create(box, { label: figure.label, x: { label: "epoch" }, y: { label: figure.label }, onCursor: (x) => { cursor = nearest(x); read(); } });
      return { plot, figure };
    });
    byId("legend").replaceChildren("Whole lines: validation; broken ones: training. ",
      ...(runs.length > 1 ? runs.map((run, k) => make("span", { className: "key" }, Plot.swatch(k), " ", run.name)) : []));
    draw();
    read();
  }

  return { start };
})();
