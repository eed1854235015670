/* checkpoint_naming.c - see checkpoint_naming.h. */

#include "checkpoint_naming.h"

#include <stdio.h>
#include <string.h>

static const char *const wrappers[] = { "module.", "_orig_mod.", "model.", "state_dict.", "net." };
enum { WRAPPERS = sizeof wrappers / sizeof *wrappers };

/* A part of a name and what stands there in ours. One that starts with a dot is looked for within the name, others at its
 * beginning. The parts are replaced one after another, each once at most: the first ones see their text first. */
typedef struct KeyPart { const char *theirs, *ours; } KeyPart;

static const KeyPart timm_convnext[] = {
    { "stem.",                "features.0." },
    { "stages.0.blocks.",     "features.1." }, { "stages.1.blocks.",     "features.3." },
    { "stages.2.blocks.",     "features.5." }, { "stages.3.blocks.",     "features.7." },
    { "stages.1.downsample.", "features.2." }, { "stages.2.downsample.", "features.4." },
    { "stages.3.downsample.", "features.6." },
    { "head.norm.",           "classifier.0." }, { "head.fc.",           "classifier.2." },
    { ".conv_dw.", ".block.0." }, { ".norm.", ".block.2." }, { ".mlp.fc1.", ".block.3." }, { ".mlp.fc2.", ".block.5." },
    { ".gamma",    ".layer_scale" },
    { NULL, NULL },
};

static const KeyPart facebook_convnext[] = {
    { "downsample_layers.0.", "features.0." }, { "downsample_layers.1.", "features.2." },
    { "downsample_layers.2.", "features.4." }, { "downsample_layers.3.", "features.6." },
    { "stages.0.",            "features.1." }, { "stages.1.",            "features.3." },
    { "stages.2.",            "features.5." }, { "stages.3.",            "features.7." },
    { "norm.",                "classifier.0." }, { "head.",              "classifier.2." },
    { ".dwconv.",  ".block.0." }, { ".norm.", ".block.2." }, { ".pwconv1.", ".block.3." }, { ".pwconv2.", ".block.5." },
    { ".gamma",    ".layer_scale" },
    { NULL, NULL },
};

static const KeyPart timm_vgg[] = {
    { "pre_logits.fc1.", "classifier.0." }, { "pre_logits.fc2.", "classifier.3." }, { "head.fc.", "classifier.6." },
    { NULL, NULL },
};

static const KeyPart cifar_resnet[] = {
    { ".shortcut.", ".downsample." }, { "linear.", "fc." },
    { NULL, NULL },
};

struct CheckpointLayout { const char *source; const KeyPart *parts; };

static const CheckpointLayout layouts[] = {
    { "timm's ConvNeXt",           timm_convnext },
    { "facebookresearch's ConvNeXt", facebook_convnext },
    { "timm's VGG",                timm_vgg },
    { "a ResNet for CIFAR",        cifar_resnet },
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static void replace_part(char text[CHECKPOINT_NAME_ROOM], const KeyPart *part)
{
    char *at = *part->theirs == '.' ? strstr(text, part->theirs) : starts_with(text, part->theirs) ? text : NULL;
    if (!at)
        return;
    const size_t theirs = strlen(part->theirs), ours = strlen(part->ours), rest = strlen(at + theirs) + 1;
    if ((size_t)(at - text) + ours + rest > CHECKPOINT_NAME_ROOM)
        return;                                   /* too long for any name of ours: it stays what it is */
    memmove(at + ours, at + theirs, rest);
    memcpy(at, part->ours, ours);
}

const char *checkpoint_naming_apply(const CheckpointNaming *naming, const char *name, char text[CHECKPOINT_NAME_ROOM])
{
    name += naming->wrapped;
    if (!naming->layout)
        return name;
    snprintf(text, CHECKPOINT_NAME_ROOM, "%s", name);
    for (const KeyPart *part = naming->layout->parts; part->theirs; part++)
        replace_part(text, part);
    return text;
}

const char *checkpoint_naming_source(const CheckpointNaming *naming)
{
    return naming->layout ? naming->layout->source : NULL;
}

bool checkpoint_naming_skips(const char *name)
{
    return !strcmp(name, "n_averaged");
}

/* Whether all names of the file have `wrapper` behind their first `at` bytes, and something after it. */
static bool all_wrapped(const Safetensors *file, size_t at, const char *wrapper)
{
    size_t count = 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_entry(file, i)->name;
        if (checkpoint_naming_skips(name))
            continue;
        name += at;
        if (!starts_with(name, wrapper) || !name[strlen(wrapper)])
            return false;
        count++;
    }
    return count > 0;
}

static size_t bytes_wrapped(const Safetensors *file)
{
    size_t at = 0;
    for (int w = 0; w < WRAPPERS;) {
        if (all_wrapped(file, at, wrappers[w])) {
            at += strlen(wrappers[w]);
            w = 0;                                /* they are stacked in any order */
        } else
            w++;
    }
    return at;
}

static size_t names_known(const Safetensors *file, const Network *network, const CheckpointNaming *naming)
{
    size_t known = 0;
    char text[CHECKPOINT_NAME_ROOM];
    for (size_t i = 0; i < safetensors_count(file); i++)
        known += !checkpoint_naming_skips(safetensors_entry(file, i)->name) &&
                 network_param_find(network, checkpoint_naming_apply(naming, safetensors_entry(file, i)->name, text)) != NULL;
    return known;
}

CheckpointNaming checkpoint_naming_find(const Safetensors *file, const Network *network)
{
    CheckpointNaming best = { 0 };
    const size_t params = (size_t)network_param_count(network);
    if (safetensors_count(file) > 8 * params)      /* it fits under no name, and looking would take long */
        return best;
    const size_t wrapped = bytes_wrapped(file);
    size_t most = names_known(file, network, &best);
    for (int l = -1; l < LAYOUTS && most < params; l++) {
        const CheckpointNaming naming = { .wrapped = wrapped, .layout = l < 0 ? NULL : &layouts[l] };
        const size_t known = names_known(file, network, &naming);
        if (known > most) {
            most = known;
            best = naming;
        }
    }
    return best;
}
