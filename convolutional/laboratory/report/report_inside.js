/* report_inside.js - inside the network: layers, what the activations did over the epochs, what was wrong with the run. */
"use strict";

const Inside = (() => {
  const { byId, make, number } = Elements;
  const { percent, large } = Tables;
  const EPOCHS_SHOWN = 24;
  let run = null;

  /* ---- layers ---- */

  function layers() {
    byId("layers").hidden = !run.model;
    if (!run.model)
      return;
    const most = Math.max(...run.model.layers.map((layer) => layer.share || 0));
    const share = (layer) => (layer.share ? make("span", {}, make("span", { className: "share" }, make("span", { style: `width: ${(4 * layer.share / most).toFixed(2)}rem` })), make("span", {}, percent(layer.share, 1))) : "");
    Tables.fill(byId("layer-table"), ["layer", "kind", "output", "parameters", "multiply-adds", "share of time"],
      [...run.model.layers.map((layer) => [layer.name, layer.kind, layer.out.join(" x "), large(layer.parameters), large(Math.round(layer.macs)), share(layer)]),
       ["total", "", "", large(run.model.parameters), large(Math.round(run.model.macs)), ""]], 2);
  }

  /* ---- activity ---- */

  const QUANTITIES = [
    { key: "dead", label: "dead channels, %", factor: 100, most: 100 },
    { key: "saturated", label: "flat: slope below 0.05, %", factor: 100, most: 100 },
    { key: "slope", label: "mean slope", factor: 1 },
    { key: "gradient", label: "gradient of an image", factor: 1, log: true },
    { key: "mean", label: "mean of the sums", factor: 1 },
    { key: "deviation", label: "deviation of the sums", factor: 1, log: true },
  ];

  /* The first, the last, and some between. */
  const thinned = (lines) => (lines.length <= EPOCHS_SHOWN ? lines : Array.from({ length: EPOCHS_SHOWN }, (_, k) => lines[Math.round(k * (lines.length - 1) / (EPOCHS_SHOWN - 1))]));

  function activity() {
    const lines = thinned(run.activity.filter((line) => Array.isArray(line.layers))), quantity = QUANTITIES[byId("quantity").selectedIndex] || QUANTITIES[0];
    byId("activity").hidden = !lines.length;
    if (!lines.length)
      return;
    const at = (line, k) => (line.layers[k] && typeof line.layers[k][quantity.key] === "number" ? quantity.factor * line.layers[k][quantity.key] : NaN);
    const scaled = (value) => (quantity.log ? Math.log10(Math.max(value, 1e-30)) : value);
    const values = lines.flatMap((line) => line.layers.map((_, k) => scaled(at(line, k)))).filter(Number.isFinite);
    const low = quantity.most ? 0 : Math.min(...values), high = quantity.most || Math.max(...values);
    const cell = (value) => {
      const strength = Number.isFinite(value) ? Math.round(80 * (scaled(value) - low) / (high - low || 1)) : 0;
      return make("td", { style: `background: color-mix(in srgb, var(--c1) ${strength}%, var(--panel))${strength > 55 ? "; color: var(--ground)" : ""}` }, Number.isFinite(value) ? number(value, 3) : "none");
    };
    byId("activity-table").replaceChildren(make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "epoch"), ...lines.map((line) => make("th", { scope: "col" }, String(line.epoch))))),
      make("tbody", {}, ...lines[0].layers.map((layer, k) => make("tr", {}, make("th", { scope: "row" }, `${layer.name} ${layer.act || ""}`), ...lines.map((line) => cell(at(line, k)))))));
  }

  /* ---- health ---- */

  function health() {
    const lines = run.health.filter((line) => Array.isArray(line.layers)), last = lines[lines.length - 1];
    byId("health").hidden = !last;
    if (!last)
      return;
    const found = new Map();      /* what is wrong: its epochs and its last words */
    for (const line of lines)
      for (const { what, text } of line.wrong || [])
        found.set(what, { epochs: [...(found.get(what) || { epochs: [] }).epochs, line.epoch], text });
    byId("wrong").replaceChildren(...(found.size ? [...found].map(([what, { epochs, text }]) => make("li", { "data-what": what },
      `${epochs.length > 1 ? `epochs ${epochs[0]} to ${epochs[epochs.length - 1]}` : `epoch ${epochs[0]}`}: ${text}`)) : [make("li", {}, `Nothing was wrong in ${lines.length} epoch${lines.length > 1 ? "s" : ""}.`)]));
    byId("health-about").textContent = `After epoch ${last.epoch}: norms of weights and gradients, and how far a step moves the weights, as a share of their size; 0.1% is usual.`;
    const size = (value) => (typeof value === "number" ? number(value, 3) : "none");
    Tables.fill(byId("health-table"), ["layer", "weights", "gradient", "a step moves", "dead units"], [
      ...last.layers.map((layer) => [layer.name, size(layer.weight), size(layer.gradient), typeof layer.update === "number" ? `${number(100 * layer.update, 2)}%` : "none", ""]),
      ...(last.units || []).map((unit) => [unit.name, "", "", "", `${percent(unit.dead, 1)} of ${unit.channels}`])]);
  }

  function prepare() {
    byId("quantity").append(...QUANTITIES.map(({ label }) => make("option", {}, label)));
    byId("quantity").addEventListener("change", activity);
  }

  function show(chosen) {
    run = chosen;
    layers();
    activity();
    health();
  }

  return { prepare, show };
})();
