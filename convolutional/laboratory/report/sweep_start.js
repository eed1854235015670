/* sweep_start.js - reads the page's data, and draws the curves of those choices that are ticked. */
"use strict";

(() => {
  const { byId, make } = Elements;
  const { percent, fixed } = Tables;
  const DRAWN = 8;      /* as many as there are colours */
  const data = JSON.parse(byId("data").textContent), { choices, runs } = data;

  const FIGURES = [
    { id: "loss", label: "validation loss", keys: ["val_loss"] },
    { id: "top1", label: "validation top-1, %", keys: ["val_top1"], factor: 100 },
  ];
  const COLUMNS = [
    { head: "validation loss", of: (line) => fixed(line.val_loss ?? NaN, 4) },
    { head: "validation top-1", of: (line) => percent(line.val_top1 ?? NaN) },
  ];

  const logOf = (curve) => curve.map(([loss, top1], k) => ({ epoch: k + 1, val_loss: loss, val_top1: top1 === null ? null : top1 / 100 }));

  /* The best first: their numbers are their colours. */
  function rank() {
    [...choices].sort((a, b) => (b.mean ?? -1) - (a.mean ?? -1)).forEach((choice, place) => { choice.style = place; });
  }

  function prepare() {
    const drawn = choices.filter((choice) => choice.curve.length).sort((a, b) => a.style - b.style), seeds = [...new Set(runs.map((run) => run.seed))];
    const ticks = drawn.map((choice, k) => make("input", { type: "checkbox", id: `choice-${k}`, checked: k < DRAWN }));
    byId("what").append(make("option", { value: "mean" }, "means over seeds"), ...seeds.map((seed) => make("option", { value: String(seed) }, `those of seed ${seed}`)));
    byId("shown").append(...drawn.map((choice, k) => make("label", { className: "check", htmlFor: `choice-${k}` }, ticks[k], " ", Plot.swatch(choice.style), " ", choice.name)));
    const curveOf = (choice) => {
      const what = byId("what").value, run = what === "mean" ? choice : runs.find((one) => choices[one.choice] === choice && String(one.seed) === what);
      return { name: choice.name, style: choice.style, log: logOf(run ? run.curve : []) };
    };
    const chosen = () => drawn.filter((_, k) => ticks[k].checked).map(curveOf);
    for (const control of [byId("what"), ...ticks])
      control.addEventListener("change", () => Curves.choose(chosen()));
    Curves.start(chosen(), { figures: FIGURES, shown: COLUMNS, hint: "" });
  }

  byId("version").textContent = data.version;
  byId("title").textContent = data.name;
  document.title = `${data.name} - convzoo`;
  Theme.start();
  rank();
  SweepTables.overview(data);
  SweepTables.comparisons(data);
  SweepTables.runs(data);
  SweepTables.settings(data);
  SweepTables.commands(data);
  prepare();
  byId("parts").replaceChildren(...[...document.querySelectorAll("main > section")].filter((part) => !part.hidden)
    .map((part) => make("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)));
})();
