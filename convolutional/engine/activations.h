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

enum { ACTIVATION_MOST_PARAMETERS = 4 };

/* What the catalogue knows. */
typedef struct ActivationInfo {
    ActivationKey id;
    const char *key;              /* "leaky_relu" */
    const char *aliases;          /* "leaky", space-separated; "" if none */
    const char *parameters;       /* what the parameters are called, space-separated; "" if there are none */
    float       defaults[ACTIVATION_MOST_PARAMETERS];
    const char *formula;          /* "max(0, x) + a min(0, x)" */
    const char *derivative;
    const char *range;            /* "(-inf, inf)" */
    const char *paper;
    const char *good_for, *bad_for;
    float       gain;             /* weights start with variance gain^2 / fan_in */
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

/* The row of a key, ACT_native excluded. */
const ActivationInfo *activation_info(ActivationKey key);

/* The activation of a key with its usual parameters; native of ACT_native. */
Activation activation_of(ActivationKey key);
/* The same with its first parameter given. */
Activation activation_with(ActivationKey key, float parameter);
/* How many parameters a row has. */
int activation_parameter_count(const ActivationInfo *info);

/* Which one it is: ACT_native of {0}. */
ActivationKey activation_key(Activation activation);

/* f(x) and its derivative in double precision: the reference for kernels, pictures and experiments. Not of native. */
double activation_value(Activation activation, double x);
double activation_slope(Activation activation, double x);

/* Parses "NAME" or "NAME:PARAMETER,..." (aliases too). An unknown name is an error that lists the choices. */
bool activation_parse(const char *text, Activation *activation, Error *error);

/* Writes "NAME", or "NAME:P,..." where a parameter is not the default; returns text. */
const char *activation_text(Activation activation, char *text, size_t size);

/* "identity relu relu6 ..." in the catalogue's order. */
const char *activation_names(void);

#endif
