/* checkpoint_naming.h - what other programs call the tensors of a network that is known here.
 *
 *   wrappers    "module." of DataParallel, "_orig_mod." of torch.compile, "model." of Lightning, also stacked:
 *               taken off where every name of the file has them
 *   layouts     the same network under other names: timm's ConvNeXt and VGG, the ResNets for CIFAR; one table of key parts each */

#ifndef CONVZOO_CHECKPOINT_NAMING_H
#define CONVZOO_CHECKPOINT_NAMING_H

#include "network.h"
#include "safetensors.h"

typedef struct CheckpointLayout CheckpointLayout;

typedef struct CheckpointNaming {
    size_t                  wrapped;     /* bytes in front of every name */
    const CheckpointLayout *layout;      /* NULL: the network's own names */
} CheckpointNaming;

enum { CHECKPOINT_NAME_ROOM = 512 };

/* What torch.optim.swa_utils.AveragedModel keeps beside "module.": how many weights are in its average. It has no naming. */
bool checkpoint_naming_skips(const char *name);

/* The naming under which most of the file's names are the network's; of equals the plainer one. */
CheckpointNaming checkpoint_naming_find(const Safetensors *file, const Network *network);

/* What the network calls the tensor: `name`, or text filled. */
const char *checkpoint_naming_apply(const CheckpointNaming *naming, const char *name, char text[CHECKPOINT_NAME_ROOM]);

/* "timm's ConvNeXt"; NULL: the network's own names. */
const char *checkpoint_naming_source(const CheckpointNaming *naming);

#endif
