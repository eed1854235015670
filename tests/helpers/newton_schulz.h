/* newton_schulz.h - Muon's iteration as the paper writes it, in plain loops in double. */

#ifndef CONVZOO_NEWTON_SCHULZ_H
#define CONVZOO_NEWTON_SCHULZ_H

#include <stddef.h>

/* `rounds` times x = 3.4445 x - 4.7750 S x + 2.0315 S S x,  S = x x^T, of a matrix x[rows][columns] as it stands: the iteration commutes with turning it. */
void newton_schulz(size_t rows, size_t columns, double *x, int rounds);

#endif
