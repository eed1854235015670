/* setups.h - networks at work, small enough for tests: of every kind of module, in several plans. */

#ifndef CONVZOO_SETUPS_H
#define CONVZOO_SETUPS_H

#include "architectures.h"
#include "optimizer.h"
#include "program.h"

typedef struct Setup {
    const char *arch;
    int         side, batch;
    Plan        plan;
    bool        squeeze_excite;
} Setup;

enum { SETUPS = 10, CLASSES = 10 };

extern const Setup setups[SETUPS];

/* Values drawn; the caller frees it. */
Network   *setup_network(const Setup *setup);
Optimizer *setup_optimizer(Network *net);
/* Floats in a program's images. */
size_t     setup_image_size(const Program *program);
/* Uniform in [-1, 1). */
void       setup_draw(float *x, size_t count, uint64_t seed);
/* Forward, loss, backward, update. */
void       setup_train(Program *program, Optimizer *optimizer, uint64_t step);

#endif
