/* report_suspects.js - the training images with the highest losses, which train --suspects lists. */
"use strict";

const Suspects = (() => {
  const { byId, make } = Elements;
  const { percent, large, fixed, breakable } = Tables;

  /* Without a picture the image's number stands for it. */
  function shot({ image, label, called, loss, sure, name, picture }) {
    const lines = [`labelled ${label} ${percent(Math.exp(-loss), 2)}`, called === label ? "called so too" : `called ${called} ${percent(sure, 1)}`, `loss ${fixed(loss, 3)}`];
    return make("figure", { className: "shot" }, ...(picture ? [make("img", { src: picture, alt: `labelled ${label}, called ${called}` })] : []),
      make("figcaption", {}, ...lines.flatMap((line) => [line, make("br")]), make("span", { className: "name" }, ...breakable(name || `image ${image}`))));
  }

  function show({ suspects }) {
    byId("suspects").hidden = !suspects || !suspects.list.length;
    if (byId("suspects").hidden)
      return;
    const { count, list } = suspects;
    byId("suspects-about").textContent = `The training images with the highest losses when the training ended${list.length < count ? `, the first ${list.length} of ${large(count)} in suspects.csv` : ""}: `
      + "the probability that the network gives to the label, and to what it calls the image. Look whether the labels are right.";
    byId("suspect-list").replaceChildren(...list.map(shot));
  }

  return { show };
})();
