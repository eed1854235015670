/* report_results.js - what the network says of the images: confusion matrix, the images behind a cell, mistakes, classes, calibration. */
"use strict";

const Results = (() => {
  const { byId, make, drawn } = Elements;
  const { percent, large, breakable } = Tables;
  const NAMED = 40, NUMBERED = 20, PAIRS = 20, LETTERS = 12;
  let run = null, opened = null;

  const nameOf = (k) => run.model.classes[k];
  const shortName = (k) => (nameOf(k).length > LETTERS ? `${nameOf(k).slice(0, LETTERS - 1)}\u2026` : nameOf(k));
  const counted = (n) => `${large(n)} image${n === 1 ? "" : "s"}`;

  /* ---- images ---- */

  function shot(image) {
    const wrong = image.label !== image.called;
    return make("figure", { className: "shot" }, make("img", { src: run.results.pictures[image.picture], alt: `${nameOf(image.label)}, called ${nameOf(image.called)}` }),
      make("figcaption", {}, `called ${nameOf(image.called)} ${percent(image.sure, 1)}`, ...(wrong ? [make("br"), `is ${nameOf(image.label)} ${percent(image.true, 1)}`] : []),
        ...(image.name ? [make("br"), make("span", { className: "name" }, ...breakable(image.name))] : [])));
  }

  function markOpen() {
    document.querySelectorAll("#matrix [data-cell]").forEach((cell) => cell.classList.toggle("open", cell.dataset.cell === opened));
  }

  function openCell([label, called, count, images]) {
    opened = `${label}-${called}`;
    markOpen();
    const which = label === called ? `${nameOf(label)}, and called so: the least sure first` : `${nameOf(label)}, called ${nameOf(called)}: the surest first`;
    byId("behind").replaceChildren(make("h3", {}, `${counted(count)} of ${which}`), make("div", { className: "shots" }, ...images.map(shot)),
      ...(images.length < count ? [make("p", { className: "hint" }, images.length ? `${images.length} of them are in this page.` : "None of them is in this page: report --images N takes in more.")] : []));
  }

  /* ---- confusion ---- */

  function cellOf(cell, size, left, top) {
    const [label, called, count] = cell, n = run.model.classes.length, share = count / Math.max(1, run.results.each[label][0]);
    const right = label === called, small = n > NUMBERED;
    const g = drawn("g", { "data-cell": `${label}-${called}`, ...(small ? {} : { tabindex: 0, role: "button" }), "aria-label": `${nameOf(label)}, called ${nameOf(called)}: ${counted(count)}` });
    const strength = Math.round(100 * (right ? 0.12 + 0.88 * share : Math.min(1, 0.15 + 1.7 * share)));
    g.append(drawn("rect", { x: left + called * size, y: top + label * size, width: Math.max(1, size - (n > NAMED ? 0 : 1)), height: Math.max(1, size - (n > NAMED ? 0 : 1)),
                             style: `fill: color-mix(in srgb, var(${right ? "--c1" : "--c2"}) ${strength}%, var(--panel))` }),
             drawn("title", {}, `${nameOf(label)}, called ${nameOf(called)}: ${count}`));
    if (!small && size >= 18)
      g.append(drawn("text", { x: left + (called + 0.5) * size, y: top + (label + 0.5) * size + 4, "text-anchor": "middle", style: strength > 60 ? "fill: var(--ground)" : "" }, String(count)));
    g.addEventListener("click", () => openCell(cell));
    g.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ")
        return;
      event.preventDefault();
      openCell(cell);
    });
    return g;
  }

  function matrix() {
    const box = byId("matrix"), n = run.model.classes.length, width = box.clientWidth || 360, named = n <= NAMED;
    const left = named ? 92 : 24, top = named ? 92 : 24, right = named ? 30 : 4, size = Math.max(1, (width - left - right) / n), bottom = top + n * size;
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${bottom + 22}`, role: "group", "aria-label": "Confusion matrix" });
    svg.append(drawn("rect", { x: left, y: top, width: n * size, height: n * size, style: "fill: var(--panel)" }));
    for (let k = 0; named && k < n; k++) {
      const across = left + (k + 0.5) * size + 4;
      svg.append(drawn("text", { x: left - 5, y: top + (k + 0.5) * size + 4, "text-anchor": "end" }, shortName(k)),
                 drawn("text", { x: across, y: top - 5, transform: `rotate(-60 ${across} ${top - 5})` }, shortName(k)));
    }
    svg.append(...run.results.cells.map((cell) => cellOf(cell, size, left, top)),
               drawn("text", { x: left + n * size / 2, y: bottom + 16, "text-anchor": "middle", class: "axis" }, "called"),
               drawn("text", { x: 12, y: top + n * size / 2, transform: `rotate(-90 12 ${top + n * size / 2})`, "text-anchor": "middle", class: "axis" }, "true class"));
    box.replaceChildren(svg);
    markOpen();      /* drawn again where the width changes */
  }

  function confusion() {
    const wrong = run.results.cells.filter(([label, called]) => label !== called).sort((a, b) => b[2] - a[2]);
    byId("confusion-about").textContent = `${percent(run.results.top1)} of ${counted(run.results.count)} (${run.results.split}) are right. Open a cell to see its images.`;
    matrix();
    byId("behind").replaceChildren();
    byId("pairs").replaceChildren(...wrong.slice(0, PAIRS).map((cell) => {
      const button = make("button", { type: "button" }, `${nameOf(cell[0])} called ${nameOf(cell[1])}: ${cell[2]}`);
      button.addEventListener("click", () => openCell(cell));
      return button;
    }));
    byId("pairs-title").hidden = !wrong.length;
    openCell(wrong[0] || run.results.cells[0]);
  }

  /* ---- classes, calibration ---- */

  function classes() {
    const rows = run.results.each.map((each, k) => [nameOf(k), ...each]).sort((a, b) => a[5] - b[5]);
    Tables.fill(byId("class-table"), ["class", "images", "called so", "precision", "recall", "F1"],
      rows.map(([name, images, called, precision, recall, f1]) => [name, large(images), large(called), percent(precision, 1), percent(recall, 1), percent(f1, 1)]));
  }

  const plots = {};

  function calibration() {
    const states = [["as it is", run.results.calibration], ["with its temperature", run.results.calibrated]].filter(([, state]) => state);
    const bins = (state) => state.bins.filter(([images]) => images > 0);
    plots.reliability.draw({ x: { from: 0, to: 100 }, y: { from: 0, to: 100 }, series: [{ name: "as sure as right", style: 7, dashed: true, points: [[0, 0], [100, 100]] },
      ...states.flatMap(([name, state], k) => { const points = bins(state).map(([, sure, right]) => [100 * sure, 100 * right]); return [{ name, style: k, points }, { name, style: k, points, dots: true }]; })] });
    const total = run.results.count, width = 100 / states[0][1].bins.length;
    const most = Math.max(...states.flatMap(([, state]) => state.bins.map(([images]) => 100 * images / total)));
    plots.certainty.draw({ x: { from: 0, to: 100 }, y: { from: 0, to: 1.06 * most }, series: states.map(([name, state], k) => ({ name, style: k, points: [],
      bars: state.bins.map(([images], b) => [(b + k / states.length) * width, (b + (k + 1) / states.length) * width, 100 * images / total]) })) });
    byId("calibration-about").textContent = states.map(([name, state]) => `${name}: expected calibration error ${percent(state.error)}, in the worst bin ${percent(state.worst)}`).join("; ")
      .replace(/^./, (letter) => letter.toUpperCase()) + ". On the broken line it is as sure as it is right; below, too sure.";
    byId("calibration-legend").replaceChildren(...(states.length > 1 ? states.map(([name], k) => make("span", { className: "key" }, Plot.swatch(k), " ", name)) : []));
  }

  function prepare() {
    plots.reliability = Plot.create(byId("reliability"), { label: "How often it is right, by how sure it is", x: { label: "how sure it is, %" }, y: { label: "right, %" } });
    plots.certainty = Plot.create(byId("certainty"), { label: "How sure it is", x: { label: "how sure it is, %" }, y: { label: "images, %" } });
    let width = 0;
    new ResizeObserver(() => {
      if (run && run.results && byId("matrix").clientWidth !== width)
        matrix();
      width = byId("matrix").clientWidth;
    }).observe(byId("matrix"));
  }

  function show(chosen) {
    run = chosen;
    for (const part of ["confusion", "mistakes", "classes", "calibration"])
      byId(part).hidden = !run.results;
    if (!run.results)
      return;
    confusion();
    byId("mistakes").hidden = !run.results.mistakes.length;
    byId("mistake-list").replaceChildren(...run.results.mistakes.map(shot));
    classes();
    calibration();
  }

  return { prepare, show };
})();
