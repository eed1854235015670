/* layouts.h - tensors in every layout, for tests of kernels: made, filled, compared with double. */

#ifndef CONVZOO_LAYOUTS_H
#define CONVZOO_LAYOUTS_H

#include "kernels.h"

/* n c h w, odd and unequal; every one goes with every block: 1, 8, 16 and 0, which stands for c. */
enum { SHAPES = 12, BLOCKS = 4 };
extern const View shapes[SHAPES];
extern const int  blocks[BLOCKS];

View view_of(View shape, int block);
/* "avx2 2x6x5x7 block 8", in a buffer that the next call overwrites. */
const char *text_of(const View *v);

size_t pixels_of(const View *v);
/* Channel c of pixel i, counted through the images. */
size_t place(const View *v, int c, size_t i);

/* NaN: what is never written shows. */
float *floats(size_t count);
/* center + spread times standard normals drawn for (channel, pixel), whatever the layout; the padding is zero. */
float *normals(const View *v, float center, float spread, uint64_t key);
/* The same, one a channel. */
float *channel_normals(const View *v, float center, float spread, uint64_t key);
double *doubles(const View *v, const float *values);

/* Every element within tolerance, relative to itself and the tensor's root mean square; padding zero. */
void compare(const char *what, const View *v, const char *act, const float *got, const double *expected, double tolerance);
/* The same of one value a channel, relative to the largest. */
void compare_channels(const char *what, const View *v, const char *act, const float *got, const double *expected,
                      double tolerance);
/* The same bits. */
void compare_bits(const char *what, const View *v, const float *got, const float *expected, size_t count);

/* Runs this program again with each CONVZOO_ISA; 0 if all pass. */
int run_every_isa(void);

#endif
