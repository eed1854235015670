/* module_cases.h - the table of test_modules: every module, alone and in the company that a program fuses it with. */

#ifndef CONVZOO_MODULE_CASES_H
#define CONVZOO_MODULE_CASES_H

#include "reference.h"

/* The kernels at work, which decides how exact they must be. */
typedef enum { KIND_direct, KIND_pointwise, KIND_norm, KIND_winograd, KIND_exact, KIND_COUNT } Kind;

typedef struct ModuleCase {
    const char *name;
    int         n;
    Shape       in;
    Tensor   *(*build)(Reference *r, const struct ModuleCase *row, const Tensor *x);
    Kind        kind;
    int         channels;                    /* of what is built; its side for adaptive pooling */
    Conv2d      conv;
    Pool        pool;
    ActivationKey act;
    float       act_parameter;               /* 0: the usual one */
    const char *formula;                     /* a text for --act, instead of act */
    float       p, factor;
    const char *frozen;                      /* how the names of frozen parameters begin; NULL: none */
    bool        by_sample;                   /* dropped by sample, and not by element */
    bool        added;                       /* x is added to what is dropped */
} ModuleCase;

extern const ModuleCase module_cases[];
extern const int        module_case_count;

/* What the tests build with every activation: it alone, after a batch norm, and after batch norm and sum. */
Tensor *build_activation(Reference *r, const ModuleCase *row, const Tensor *x);
Tensor *build_norm_activation(Reference *r, const ModuleCase *row, const Tensor *x);
Tensor *build_residual_activation(Reference *r, const ModuleCase *row, const Tensor *x);
/* Whether the case is a convolution or a linear layer and nothing else. */
bool    module_case_is_linear(const ModuleCase *row);
/* True if it is smooth, with at most two convolutions in a row. */
bool    module_case_has_no_kink(const ModuleCase *row);

#endif
