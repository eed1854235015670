/* report_start.js - reads the page's data and starts its parts. */
"use strict";

(() => {
  const { byId, make } = Elements;
  const data = JSON.parse(byId("data").textContent), runs = data.runs;

  function show(run) {
    Results.show(run);
    Suspects.show(run);
    Inside.show(run);
    byId("parts").replaceChildren(...[...document.querySelectorAll("main > section")].filter((part) => !part.hidden)
      .map((part) => make("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)));
  }

  /* Several runs: their details one at a time. */
  function choose() {
    byId("chooser").hidden = runs.length < 2;
    byId("chooser").append(...runs.map((run, k) => {
      const input = make("input", { type: "radio", name: "run", id: `run-${k}`, checked: k === 0 });
      input.addEventListener("change", () => show(run));
      return make("label", { className: "check", htmlFor: `run-${k}` }, input, " ", Plot.swatch(k), " ", run.name);
    }));
  }

  byId("version").textContent = data.version;
  byId("title").textContent = runs.length === 1 ? runs[0].name : `${runs.length} runs`;
  document.title = `${byId("title").textContent} - convzoo`;
  Theme.start();
  Tables.overview(runs);
  Curves.start(runs);
  Tables.settings(runs);
  Tables.commands(runs, data.version);
  Results.prepare();
  Inside.prepare();
  choose();
  show(runs[0]);
})();
