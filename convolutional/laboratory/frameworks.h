/* frameworks.h - what PyTorch, Keras, timm and ONNX call an activation (frameworks.def). */

#ifndef CONVZOO_FRAMEWORKS_H
#define CONVZOO_FRAMEWORKS_H

#include "activations.h"

enum { FRAMEWORKS = 4 };

/* "PyTorch", "Keras", "timm", "ONNX". */
const char *framework_name(int framework);
/* "" where it has none, or is not known. */
const char *framework_activation(int framework, Activation act);

#endif
