/* sequential.h - names of a numbered list of layers, as PyTorch's nn.Sequential gives them: "0", "1", ... */

#ifndef CONVZOO_SEQUENTIAL_H
#define CONVZOO_SEQUENTIAL_H

/* How many layers the list has so far; {0}: none. Those without parameters count too. */
typedef struct Sequence {
    int  count;
    char name[12];
} Sequence;

/* The next layer's name, valid until the next call: module constructors copy it. */
const char *layer_next(Sequence *sequence);

#endif
