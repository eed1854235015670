/* convzoo_model.c - a network with its parameters, for programs that embed it; see convzoo.h. */

#include "convzoo_own.h"

#include "augment.h"
#include "dataset.h"
#include "parameters.h"
#include "text.h"
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MOST = 64, CLASSES_MOST = 65536, THREADS_MOST = 1024 };

static size_t image_values(const ConvzooModel *m)
{
    return (size_t)m->model.info.channels * (size_t)m->model.info.side * (size_t)m->model.info.side;
}

/* ---- making and saving ---- */

static bool options_ok(const ConvzooModelOptions *o, Error *error)
{
    if (!o->architecture)
        return error_set(error, EXIT_usage, "no architecture: ConvzooModelOptions.architecture: choose one of %s", architecture_names());
    if (o->classes < 1 || o->classes > CLASSES_MOST)
        return error_set(error, EXIT_usage, "%d classes: ConvzooModelOptions.classes: use 1 to %d", o->classes, CLASSES_MOST);
    if (o->channels != 0 && o->channels != 1 && o->channels != 3)
        return error_set(error, EXIT_usage, "%d channels: ConvzooModelOptions.channels: use 1 (grey) or 3 (colour)", o->channels);
    if (o->side < 0 || o->side > IMAGE_MAX_SIDE)
        return error_set(error, EXIT_usage, "a side of %d: ConvzooModelOptions.side: use at most %d", o->side, IMAGE_MAX_SIDE);
    if (o->threads < 0 || o->threads > THREADS_MOST)
        return error_set(error, EXIT_usage, "%d threads: ConvzooModelOptions.threads: use 0 to %d", o->threads, THREADS_MOST);
    for (int i = 0; o->class_names && i < o->classes; i++)
        if (!o->class_names[i])
            return error_set(error, EXIT_usage, "class %d has no name: ConvzooModelOptions.class_names: give one for each, or no list", i);
    const int channels = o->channels ? o->channels : 3;
    for (int c = 0; o->std[0] != 0.0f && c < channels; c++)
        if (!isfinite(o->mean[c]) || !isfinite(o->std[c]) || o->std[c] < 1e-30f)
            return error_set(error, EXIT_usage, "channel %d has mean %g and std %g: ConvzooModelOptions: use finite ones, std above 0", c,
                             (double)o->mean[c], (double)o->std[c]);
    return true;
}

static void fill_info(const ConvzooModelOptions *o, const Architecture *arch, Activation act, ModelInfo *info)
{
    snprintf(info->arch, sizeof info->arch, "%s", arch->key);
    activation_text(act, info->act, sizeof info->act);
    info->classes = allocate((size_t)o->classes, sizeof *info->classes, "class names");
    info->class_count = o->classes;
    for (int i = 0; i < o->classes; i++)
        info->classes[i] = o->class_names ? text_copy(o->class_names[i]) : text_format("%d", i);
    info->channels = o->channels ? o->channels : 3;
    info->side = o->side ? o->side : 32;
    for (int c = 0; c < info->channels; c++) {
        info->mean[c] = o->std[0] != 0.0f ? o->mean[c] : 0.0f;
        info->std[c] = o->std[0] != 0.0f ? o->std[c] : 1.0f;
    }
}

static bool build(ConvzooModel *m, const ConvzooModelOptions *o, Error *error)
{
    Activation act = { 0 };
    if (!options_ok(o, error) || (m->arch = architecture_find(o->architecture, error)) == NULL ||
        (o->activation && !activation_parse(o->activation, &act, error)))
        return false;
    if (!act.info)
        act = activation_of(m->arch->act);
    ModelInfo *info = &m->model.info;
    fill_info(o, m->arch, act, info);
    if (!class_names_check(info->classes, info->class_count, error))
        return false;
    m->threads = own_threads_count(o->threads);
    m->seed = o->seed;
    const TrainerOptions recipe = trainer_defaults(m->arch, NULL);      /* as convzoo_training_new's usual optimizer is */
    info->network = trainer_network_options(&recipe, info->side);
    info->network.classes = o->classes;
    info->network.act = act;
    m->model.network = architecture_network(m->arch, (Shape){ info->channels, info->side, info->side }, &info->network, error);
    if (m->model.network)
        parameters_init(m->model.network, o->seed);
    return m->model.network != NULL;
}

/* What a function of convzoo.h was asked for, and what became of it; inside memory_guard. */
typedef struct Call {
    const ConvzooModelOptions *options;
    const char   *path;
    int           threads;
    ConvzooModel *model;
    const float  *images;
    int           count;
    float        *out;
    bool          done;
    Error         error;
} Call;

static ConvzooModel *finish_model(void (*make)(void *call), Call *call, ConvzooError *error)
{
    if (own_call(0, make, call, &call->error) && call->done)
        return call->model;
    own_failed(&call->error, error);
    if (call->error.code != EXIT_memory)      /* else it may be half built: it is lost */
        convzoo_model_free(call->model);
    return NULL;
}

static int finish(void (*work)(void *call), Call *call, ConvzooError *error)
{
    return own_call(call->threads, work, call, &call->error) && call->done ? CONVZOO_OK : own_failed(&call->error, error);
}

static void make_new(void *context)
{
    Call *call = context;
    call->model = allocate(1, sizeof *call->model, "a model");
    call->done = build(call->model, call->options, &call->error);
}

ConvzooModel *convzoo_model_new(const ConvzooModelOptions *options, ConvzooError *error)
{
    return finish_model(make_new, &(Call){ .options = options }, error);
}

static bool open_file(const char *path, Model *model, Error *error)
{
    char *file = model_file(path, error);
    const bool ok = file && model_open(file, model, error);
    free(file);
    return ok;
}

static void make_loaded(void *context)
{
    Call *call = context;
    ConvzooModel *m = call->model = allocate(1, sizeof *m, "a model");
    if (call->threads < 0 || call->threads > THREADS_MOST)
        error_set(&call->error, EXIT_usage, "%d threads: convzoo_model_load: use 0 to %d", call->threads, THREADS_MOST);
    else if (open_file(call->path, &m->model, &call->error)) {
        m->arch = architecture_find(m->model.info.arch, &call->error);
        m->threads = own_threads_count(call->threads);
        call->done = true;
    }
}

ConvzooModel *convzoo_model_load(const char *path, int threads, ConvzooError *error)
{
    return finish_model(make_loaded, &(Call){ .path = path, .threads = threads }, error);
}

static void save(void *context)
{
    Call *call = context;
    ConvzooModel *m = call->model;
    call->done = checkpoint_save(call->path, NULL, m->model.network, &m->model.info, NULL, NULL, NULL, &call->error);
}

int convzoo_model_save(ConvzooModel *m, const char *path, ConvzooError *error)
{
    return finish(save, &(Call){ .model = m, .path = path }, error);
}

void convzoo_model_free(ConvzooModel *m)
{
    if (!m)
        return;
    CHECK(!m->training, "convzoo_model_free before convzoo_training_free: %s", m->model.info.arch);
    program_free(m->inference);
    model_close(&m->model);
    free(m);
}

void convzoo_model_about(const ConvzooModel *m, ConvzooModelAbout *about)
{
    const ModelInfo *info = &m->model.info;
    *about = (ConvzooModelAbout){
        .architecture = info->arch, .activation = info->act, .classes = info->class_count, .channels = info->channels,
        .side = info->side, .parameters = network_trained_count(m->model.network),
    };
    memcpy(about->mean, info->mean, sizeof about->mean);
    memcpy(about->std, info->std, sizeof about->std);
}

const char *convzoo_model_class(const ConvzooModel *m, int index)
{
    return index >= 0 && index < m->model.info.class_count ? m->model.info.classes[index] : NULL;
}

/* ---- images ---- */

void convzoo_model_normalise(const ConvzooModel *m, const unsigned char *bytes, int count, float *images)
{
    const ModelInfo *info = &m->model.info;
    const Normalise normalise = normalise_new(info->mean, info->std, info->channels);
    for (size_t i = 0, size = image_values(m); i < (size_t)(count < 0 ? 0 : count); i++)
        augment_apply(bytes + i * size, (ImageSize){ info->channels, info->side, info->side }, &normalise, (Augment){ 0 },
                      images + i * size);
}

static void read_image(void *context)
{
    Call *call = context;
    const ConvzooModel *m = call->model;
    const ModelInfo *info = &m->model.info;
    unsigned char *pixels = allocate(image_values(m), 1, "an image");
    const ImageOptions options = model_image_options(info);
    call->done = image_load(call->path, &options, pixels, &call->error);
    if (call->done)
        convzoo_model_normalise(m, pixels, 1, call->out);
    free(pixels);
}

int convzoo_model_read_image(const ConvzooModel *m, const char *path, float *image, ConvzooError *error)
{
    return finish(read_image, &(Call){ .model = (ConvzooModel *)m, .path = path, .out = image }, error);
}

bool own_images_copy(const ConvzooModel *m, const float *images, int count, float *to, Error *error)
{
    const size_t size = image_values(m);
    for (int i = 0; i < count; i++, images += size, to += size)
        for (size_t k = 0; k < size; k++) {
            if (!isfinite(images[k]))
                return error_set(error, EXIT_usage, "value %zu of image %d is not finite: images: normalise pixels by a std above 0", k, i);
            to[k] = images[k];
        }
    return true;
}

/* ---- inference ---- */

static void compile(ConvzooModel *m, int batch)
{
    if (m->inference && m->batch == batch)
        return;
    program_free(m->inference);
    m->inference = NULL;
    m->inference = model_program(&m->model, &(Plan){ 0 }, batch, NULL, NULL);
    m->batch = batch;
}

/* A last short batch is filled up with zeros. */
static bool infer(ConvzooModel *m, const float *images, int count, float *logits, Error *error)
{
    const size_t size = image_values(m), classes = (size_t)m->model.info.class_count;
    float *to = program_image(m->inference);
    for (int first = 0; first < count; first += m->batch) {
        const int rows = count - first < m->batch ? count - first : m->batch;
        if (!own_images_copy(m, images + (size_t)first * size, rows, to, error))
            return false;
        memset(to + (size_t)rows * size, 0, (size_t)(m->batch - rows) * size * sizeof *to);
        program_forward(m->inference);
        memcpy(logits + (size_t)first * classes, program_logits(m->inference), (size_t)rows * classes * sizeof *logits);
    }
    for (size_t i = 0; i < (size_t)count * classes; i++)
        if (!isfinite(logits[i]))
            return error_set(error, EXIT_diverged, "logit %zu of image %zu is not finite: convzoo_model_logits: the training of this "
                             "model diverged: use an older checkpoint", i % classes, i / classes);
    return true;
}

static void compute_logits(void *context)
{
    Call *call = context;
    compile(call->model, call->count < BATCH_MOST ? call->count : BATCH_MOST);
    call->done = infer(call->model, call->images, call->count, call->out, &call->error);
}

int convzoo_model_logits(ConvzooModel *m, const float *images, int count, float *logits, ConvzooError *error)
{
    Call call = { .model = m, .threads = m->threads, .images = images, .count = count, .out = logits };
    if (count < 1) {
        error_set(&call.error, EXIT_usage, "%d images: convzoo_model_logits: give one or more", count);
        return own_failed(&call.error, error);
    }
    return finish(compute_logits, &call, error);
}

static void predict(void *context)
{
    Call *call = context;
    ConvzooError wrong;
    float *image = allocate(image_values(call->model), sizeof *image, "an image");
    int code = convzoo_model_read_image(call->model, call->path, image, &wrong);
    if (code == CONVZOO_OK)
        code = convzoo_model_logits(call->model, image, 1, call->out, &wrong);
    const ModelInfo *info = &call->model->model.info;
    for (int k = 0; code == CONVZOO_OK && info->temperature > 0 && k < info->class_count; k++)
        call->out[k] = (float)((double)call->out[k] / info->temperature);
    if (code == CONVZOO_OK)
        convzoo_softmax(call->out, 1, info->class_count, call->out);
    else
        error_set(&call->error, (ExitCode)code, "%s", wrong.text);
    call->done = code == CONVZOO_OK;
    free(image);
}

int convzoo_model_predict(ConvzooModel *m, const char *path, float *probabilities, ConvzooError *error)
{
    return finish(predict, &(Call){ .model = m, .path = path, .out = probabilities }, error);
}
