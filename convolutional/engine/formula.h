/* formula.h - an activation as its formula: a row of formulas.def, or what a person typed for --act.
 *
 * It is parsed, differentiated and compiled once, when it is first asked for, and kept for as long as the process runs: an Activation is
 * copied freely. At most FORMULA_MOST different ones are typed. Safe to ask for from several threads. */

#ifndef CONVZOO_FORMULA_H
#define CONVZOO_FORMULA_H

#include "activations.h"
#include "expression.h"
#include "expression_code.h"

enum { FORMULA_MOST = 1 << 20 };

typedef struct Formula {
    Expression     *value;
    Expression     *slopes[EXPRESSION_VARIABLES];      /* its derivatives by x, g and the parameters; NULL by what it does not read */
    ExpressionCode *forward;                           /* writes f */
    ExpressionCode *backward;                          /* writes the derivatives, in the order of EXPRESSION_x, _g, _parameter */
    bool            gated;                             /* it reads g */
    int             parameters;
    int             noise;                             /* the parameter that is drawn anew for each number in training, -1: none */
} Formula;

/* The formula of a row of the catalogue or of a typed one. */
const Formula *formula_of(const ActivationInfo *info);

/* What describes the formula that `text` is; the same for the same text. NULL and an error that shows where the mistake is, or says that f or
 * one of its derivatives, by x, g or a learned parameter, is not finite somewhere, or that f is constant. */
const ActivationInfo *formula_row(const char *text, Error *error);

/* Whether `text` looks like a formula rather than a name: an operator, a bracket, or x alone. */
bool formula_is_meant(const char *text);

/* f and its derivative by x of an activation that is computed from its formula. A gated unit gets x as its gate too. */
double formula_value(Activation activation, double x);
double formula_slope(Activation activation, double x);

/* 1 / sqrt(E f^2) for independent standard normal x and g: weights of variance gain^2 / fan_in keep the size of the signal (He et al., 2015,
 * arXiv:1502.01852). */
double formula_gain(Activation activation);

/* Whether weights may start with such a gain: from 1e-4 to 1e4, so that no sum of float overflows. */
bool formula_gain_fits(double gain);

/* The derivative of the formula by a variable that it reads (expression.h), as text without the parameters behind it; returns text. */
const char *formula_slope_text(const ActivationInfo *info, int variable, char *text, size_t size);

#endif
