/* frameworks.c - see frameworks.h. */

#include "frameworks.h"

#include <string.h>

static const char *const frameworks[FRAMEWORKS] = { "PyTorch", "Keras", "timm", "ONNX" };

static const struct { const char *key, *names[FRAMEWORKS]; } rows[] = {
#define X(key, ...) { #key, { __VA_ARGS__ } },
#include "frameworks.def"
#undef X
};

const char *framework_name(int framework)
{
    CHECK(framework >= 0 && framework < FRAMEWORKS, "framework %d of %d", framework, FRAMEWORKS);
    return frameworks[framework];
}

const char *framework_activation(int framework, Activation act)
{
    CHECK(framework >= 0 && framework < FRAMEWORKS && act.info, "framework %d of %d", framework, FRAMEWORKS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].key, act.info->key))
            return rows[i].names[framework];
    return "";
}
