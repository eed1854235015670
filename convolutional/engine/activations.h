/* activations.h - the catalogue of activation functions: the only place that knows one.
 *
 * One row of activations.def or formulas.def makes an activation known to --act, --help, the documentation, the kernels, the initialisation
 * and the tests. What a person types as a formula (formula.h) is described by a row that is made for it. */

#ifndef CONVZOO_ACTIVATIONS_H
#define CONVZOO_ACTIVATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "errors.h"

typedef enum {
    ACT_native,                   /* the architecture's own choice */
#define X(key, ...) ACT_##key,
#include "activations.def"
#undef X
    ACT_COUNT,
    ACT_formula = ACT_COUNT       /* one that has no loops of its own: computed from its formula */
} ActivationKey;

enum {
    ACTIVATION_MOST_PARAMETERS = 4,
    ACTIVATION_TEXT = 640         /* bytes that hold any activation_text */
};

/* What the catalogue knows. */
typedef struct ActivationInfo {
    ActivationKey id;
    const char *key;              /* "leaky_relu"; the text of a typed formula */
    const char *family;           /* "rectifiers" */
    const char *aliases;          /* "leaky", space-separated; "" if none */
    const char *parameters;       /* what the parameters are called, space-separated; "" if there are none */
    float       defaults[ACTIVATION_MOST_PARAMETERS];
    const char *formula;          /* "x > 0 ? x : slope*x", in the language of expression.h */
    const char *derivative;       /* for people; NULL: what expression_derivative gives */
    const char *range;            /* "(-inf, inf)" */
    const char *paper;
    const char *good_for, *bad_for;
    float       gain;             /* activation_gain with the usual parameters; 0: what that computes */
    bool        cheap;            /* a few multiplications: computed again rather than kept */
    bool        learned;          /* the parameters are one a channel, trained, and start as the defaults or what was asked for */
    double      kinks[4];         /* where the derivative jumps: tests keep away */
    int         kink_count;
} ActivationInfo;

/* An activation with its parameters (slope, alpha; ignored where there are none). {0} is native. Copied freely: what `info` points
 * to is never freed. */
typedef struct Activation {
    const ActivationInfo *info;   /* NULL: native */
    float                 parameters[ACTIVATION_MOST_PARAMETERS];
} Activation;

/* The catalogue: rows with loops of their own first. */
int                   activation_count(void);
const ActivationInfo *activation_at(int index);

/* The row of a key, ACT_native and ACT_formula excluded. */
const ActivationInfo *activation_info(ActivationKey key);

/* The activation of a row, or of a key, with its usual parameters; native of ACT_native. */
Activation activation_of_info(const ActivationInfo *info);
Activation activation_of(ActivationKey key);
/* The same with its first parameter given. */
Activation activation_with(ActivationKey key, float parameter);
/* How many parameters a row has. */
int activation_parameter_count(const ActivationInfo *info);

/* Which one it is: ACT_native of {0}. */
ActivationKey activation_key(Activation activation);

/* Whether its kernels are loops of its own without learned parameters, which others can take into theirs. */
bool activation_has_loops(Activation activation);
/* Whether it takes two inputs' worth of channels: x and a gate. */
bool activation_is_gated(Activation activation);
/* Weights before it start with variance gain^2 / fan_in. */
float activation_gain(Activation activation);

/* f(x) and its derivative in double precision: the reference for kernels, pictures and experiments. Not of native. A gated unit gets x as
 * its gate too. */
double activation_value(Activation activation, double x);
double activation_slope(Activation activation, double x);

/* Parses "NAME" or "NAME:PARAMETER,..." (aliases too), or a formula, as "x*sigmoid(b*x); b=1", whose parameters are learned, one a channel. An
 * unknown name is an error that lists the choices. */
bool activation_parse(const char *text, Activation *activation, Error *error);

/* Writes "NAME", or "NAME:P,..." where a parameter is not the default; returns text. */
const char *activation_text(Activation activation, char *text, size_t size);

/* "identity relu relu6 ...": all names, in the catalogue's order. */
const char *activation_names(void);

#endif
