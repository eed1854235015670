/* embed.c - convzoo inside another program: a network learns to tell stripes from spots, is saved, loaded and asked.
 *
 *     cc -std=c11 embed.c $(pkg-config --cflags --libs convzoo) -o embed && ./embed
 *
 * Any C or C++ compiler will do. The images are made here; a program of your own has its own. */

#define _POSIX_C_SOURCE 200809L      /* setenv */

#include <convzoo.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIDE = 28, BATCH = 32, STEPS = 100, CLASSES = 3 };

static const char *const names[CLASSES] = { "rows", "columns", "spots" };

static float images[BATCH * SIDE * SIDE];      /* N C H W with one channel */
static int   labels[BATCH];

/* Stripes or spots of a random width and place, with noise; pixels in 0..1, which is what mean 0 and std 1 expect. */
static void draw(float *image, int label)
{
    const int width = 2 + rand() % 4, at = rand() % width;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const int row = (y + at) / width % 2, column = (x + at) / width % 2;
            const int lit = label == 0 ? row : label == 1 ? column : row && column;
            image[y * SIDE + x] = 0.7f * (float)lit + 0.3f * (float)rand() / (float)RAND_MAX;
        }
}

static void draw_batch(void)
{
    for (int i = 0; i < BATCH; i++) {
        labels[i] = rand() % CLASSES;
        draw(images + i * SIDE * SIDE, labels[i]);
    }
}

static int failed(const ConvzooError *error)
{
    fprintf(stderr, "embed: %s\n", error->text);
    return error->code;
}

static int train(ConvzooModel *model, ConvzooError *error)
{
    ConvzooTraining *training = convzoo_training_new(model, BATCH, NULL, error);
    int code = training ? CONVZOO_OK : error->code;
    for (int i = 1; i <= STEPS && code == CONVZOO_OK; i++) {
        ConvzooStep step;
        draw_batch();
        code = convzoo_training_step(training, images, labels, 0.05f, &step, error);
        if (code == CONVZOO_OK && (i == 1 || i % 20 == 0))
            printf("step %3d  loss %.3f  accuracy %3.0f%%\n", i, step.loss, 100 * step.accuracy);
    }
    convzoo_training_free(training);
    return code;
}

/* What the file's network says about images it has not seen. */
static int ask(const char *path, ConvzooError *error)
{
    static float logits[BATCH * CLASSES];
    ConvzooModel *model = convzoo_model_load(path, 0, error);
    if (!model)
        return error->code;
    draw_batch();
    const int code = convzoo_model_logits(model, images, BATCH, logits, error);
    int right = 0;
    for (int i = 0; i < BATCH && code == CONVZOO_OK; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            best = logits[i * CLASSES + c] > logits[i * CLASSES + best] ? c : best;
        right += best == labels[i];
    }
    if (code == CONVZOO_OK)
        printf("new images right: %d of %d; the last one was %s\n", right, BATCH, convzoo_model_class(model, labels[BATCH - 1]));
    convzoo_model_free(model);
    return code;
}

int main(int argc, char **argv)
{
    /* On a busy machine waiting threads must not spin for long; OpenMP reads this before main, so the program starts itself again. */
    if (!getenv("GOMP_SPINCOUNT") && !getenv("OMP_WAIT_POLICY")) {
        setenv("GOMP_SPINCOUNT", "1000", 1);
        execv("/proc/self/exe", argv);
    }
    const char *path = argc > 1 ? argv[1] : "embed.safetensors";
    ConvzooError error;
    ConvzooModelOptions options = { 0 };
    options.architecture = "lenet";
    options.classes = CLASSES;
    options.class_names = names;
    options.channels = 1;
    options.side = SIDE;
    options.seed = 1;
    printf("convzoo %s: lenet, one of %s\n", convzoo_version(), convzoo_architectures());
    ConvzooModel *model = convzoo_model_new(&options, &error);
    if (!model || train(model, &error) != CONVZOO_OK || convzoo_model_save(model, path, &error) != CONVZOO_OK) {
        convzoo_model_free(model);
        return failed(&error);
    }
    convzoo_model_free(model);
    return ask(path, &error) == CONVZOO_OK ? 0 : failed(&error);
}
