/* start.js - reads the page's data and starts its parts. */
"use strict";

(() => {
  const { byId } = Elements;
  const data = JSON.parse(byId("data").textContent);
  byId("version").textContent = data.version;
  byId("count").textContent = String(data.activations.length);
  Expression.prepare(data.language);
  Catalogue.prepare(data);
  Theme.start();
  Curves.start();
  Typed.start();
  Guide.start(data.guide);
  Signal.start();
  Experiments.start(data.experiments);
  Quiz.start();
})();
