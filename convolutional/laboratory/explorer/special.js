/* special.js - what formulas are made of, in double precision: JavaScript's Math has most, not all. */
"use strict";

const Special = (() => {
  const TWO_OVER_ROOT_PI = 1.1283791670955126;

  /* All terms of this series are positive: nothing cancels. erf(x) = 2/sqrt(pi) e^(-x^2) (x + 2 x^3/3 + 4 x^5/15 + ...) */
  function erfNear(x) {
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
  }

  /* 1 - erf(x) for x >= 2, by its continued fraction, from the far end. */
  function erfcFar(x) {
    let rest = x;
    for (let k = 120; k > 0; k--)
      rest = x + k / 2 / rest;
    return Math.exp(-x * x) / (1.7724538509055160 * rest);
  }

  function erfc(x) {
    if (Math.abs(x) < 2)
      return 1 - erfNear(x);
    return x > 0 ? erfcFar(x) : 2 - erfcFar(-x);
  }

  function erf(x) {
    if (Math.abs(x) < 2)
      return erfNear(x);
    return x > 0 ? 1 - erfcFar(x) : erfcFar(-x) - 1;
  }

  /* Through e^-|x|: nothing overflows or cancels. */
  function sigmoid(x) {
    const t = Math.exp(-Math.abs(x));
    return (x < 0 ? t : 1) / (1 + t);
  }

  function sigmoidSlope(x) {
    const t = Math.exp(-Math.abs(x));
    return t / ((1 + t) * (1 + t));
  }

  const truth = (condition) => (condition ? 1 : 0);

  /* By the names that the program's tables have. NaN stays NaN. */
  const values = {
    or: (a, b) => truth(a !== 0 || b !== 0),
    and: (a, b) => truth(a !== 0 && b !== 0),
    less: (a, b) => truth(a < b),
    less_equal: (a, b) => truth(a <= b),
    greater: (a, b) => truth(a > b),
    greater_equal: (a, b) => truth(a >= b),
    equal: (a, b) => truth(a === b),
    not_equal: (a, b) => truth(a !== b),
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
    negate: (a) => -a,
    not: (a) => truth(a === 0),
    power: (a, b) => (a === 1 ? 1 : Math.pow(a, b)),
    exp: Math.exp,
    expm1: Math.expm1,
    log: Math.log,
    log1p: Math.log1p,
    sqrt: Math.sqrt,
    abs: Math.abs,
    sign: Math.sign,
    min: Math.min,
    max: Math.max,
    relu: (a) => (a < 0 ? 0 : a),
    sigmoid,
    sigmoid_slope: sigmoidSlope,
    tanh: Math.tanh,
    tanh_slope: (a) => 4 * sigmoidSlope(2 * a),
    softplus: (a) => (a < 0 ? 0 : a) + Math.log1p(Math.exp(-Math.abs(a))),
    erf,
    phi: (a) => erfc(-a * 0.70710678118654752) / 2,
    normal: (a) => 0.39894228040143268 * Math.exp(-a * a / 2),
    sin: Math.sin,
    cos: Math.cos,
    atan: Math.atan,
    sinh: Math.sinh,
    cosh: Math.cosh,
  };

  return { values };
})();
