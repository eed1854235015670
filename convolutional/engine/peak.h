/* peak.h - what this machine can do at most. */

#ifndef CONVZOO_PEAK_H
#define CONVZOO_PEAK_H

#include <stdbool.h>

/* Floating-point operations a second of oneDNN's product of two 1024 x 1024 matrices on all threads, in f32 or bf16: the best of
 * a tenth of a second. */
double peak_flops(bool bf16);

#endif
