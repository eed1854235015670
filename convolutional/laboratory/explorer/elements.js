/* elements.js - small helpers that make parts of the page, and write numbers. */
"use strict";

const Elements = (() => {
  const byId = (id) => document.getElementById(id);

  /* make("p", { className: "hint" }, "text", child, ...): properties are set as they are, "aria-..." and "data-..." as attributes. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties))
      if (name.includes("-"))
        element.setAttribute(name, value);
      else
        element[name] = value;
    element.append(...children);
    return element;
  }

  function drawn(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes))
      element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /* For people: six digits, a real minus sign. */
  function number(value, digits = 6) {
    if (!Number.isFinite(value))
      return String(value);
    if (Math.abs(value) < 1e-15)
      return "0";
    const size = Math.abs(value), far = size !== 0 && (size < 1e-4 || size >= 1e7);
    const text = far ? value.toExponential(3) : String(Number(value.toPrecision(digits)));
    return text.replace(/-/g, "\u2212");
  }

  /* A number as it is shown, and in full for what reads the page. */
  const datum = (value, digits) => make("data", { value: String(value), title: String(value) }, number(value, digits));

  /* A slider with its number beside it; onChange gets the number. */
  function slider(label, id, { from, to, step, value }, onChange) {
    const shown = make("output", {}, number(value, 4)), input = make("input", { type: "range", id, min: from, max: to, step, value });
    input.addEventListener("input", () => {
      shown.textContent = number(Number(input.value), 4);
      onChange(Number(input.value));
    });
    return make("label", { className: "field wide", htmlFor: id }, label, " ", shown, input);
  }

  /* What a slider for a parameter that begins with `value` should span. */
  function span(value) {
    const reach = Math.max(1, 2 * Math.abs(value)), step = reach / 100;
    return { from: value < 0 ? -reach : 0, to: value < 0 ? 0 : reach, step: Number(step.toPrecision(1)), value };
  }

  return { byId, make, drawn, number, datum, slider, span };
})();
