/* activations.h - the catalogue of activation functions: the only place that knows one.
 *
 * One row of ACTIVATIONS (activations.def) makes an activation known to --act, --help, the
 * documentation, the kernels, the initialisation and the tests. */

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
    ACT_COUNT
} ActivationKey;

/* An activation with its parameter (slope, alpha; ignored where there is none). {0} is native. */
typedef struct Activation {
    ActivationKey key;
    float         parameter;
} Activation;

/* What the catalogue knows. */
typedef struct ActivationInfo {
    const char *key;              /* "leaky_relu" */
    const char *aliases;          /* "leaky", space-separated; "" if none */
    const char *parameter;        /* what the parameter is called, "" if there is none */
    float       fallback;         /* the parameter's default */
    const char *formula;          /* "max(0, x) + a min(0, x)" */
    const char *derivative;
    const char *range;            /* "(-inf, inf)" */
    const char *paper;
    const char *good_for, *bad_for;
    float       gain;             /* weights start with variance gain^2 / fan_in */
    bool        cheap;            /* a few multiplications: computed again rather than kept */
    bool        learned;          /* the parameter is one a channel, trained, and starts as `fallback` or what was asked for */
    double      kinks[4];         /* where the derivative jumps: tests keep away */
    int         kink_count;
    double    (*f)(double x, double parameter);      /* reference, double precision */
    double    (*df)(double x, double parameter);     /* its derivative */
} ActivationInfo;

/* The row of a key, ACT_native excluded. */
const ActivationInfo *activation_info(ActivationKey key);

/* Parses "NAME" or "NAME:PARAMETER" (aliases too). An unknown name is an error that lists the choices. */
bool activation_parse(const char *text, Activation *activation, Error *error);

/* Writes "NAME", or "NAME:P" where the parameter is not the default; returns text. */
const char *activation_text(Activation activation, char *text, size_t size);

/* "identity relu relu6 ..." in the catalogue's order. */
const char *activation_names(void);

#endif
