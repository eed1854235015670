/* sequential.h - names of a numbered list of layers, as PyTorch's nn.Sequential gives them: "0", "1", ... */

#ifndef CONVZOO_SEQUENTIAL_H
#define CONVZOO_SEQUENTIAL_H

/* The number *at as text, and *at one further. Layers without parameters count too. */
const char *layer_next(int *at);

#endif
