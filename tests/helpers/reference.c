/* reference.c - see reference.h. */

#include "reference_nodes.h"

#include <math.h>
#include <stdlib.h>

/* ---- building ---- */

Reference *reference_new(int batch, Shape image)
{
    Reference *r = allocate(1, sizeof *r, "a reference");
    r->net = network_new();
    r->batch = batch;
    network_input(r->net, image);
    return r;
}

void reference_free(Reference *r)
{
    network_free(r->net);
    for (int i = 0; i < REFERENCE_TENSORS; i++)
        free(r->values[i]);
    for (int i = 0; i < REFERENCE_PARAMS; i++) {
        free(r->params[i]);
        free(r->updated[i]);
    }
    free(r);
}

size_t reference_size(const Reference *r, const Tensor *tensor)
{
    return (size_t)r->batch * shape_size(tensor->shape);
}

void reference_complete(Reference *r)
{
    const int tensors = network_tensor_count(r->net), params = network_param_count(r->net);
    CHECK(tensors <= REFERENCE_TENSORS && params <= REFERENCE_PARAMS, "%d tensors and %d parameters", tensors, params);
    r->values[0] = allocate(reference_size(r, network_image(r->net)), sizeof(double), "the image");
    for (int i = 0; i < r->count; i++) {
        const Tensor *y = r->nodes[i].y;
        r->values[y->index] = allocate(reference_size(r, y), sizeof(double), "values");
    }
    for (int i = 0; i < network_param_count(r->net); i++) {
        r->params[i] = allocate(network_param(r->net, i)->count, sizeof(double), "a parameter");
        r->updated[i] = allocate(network_param(r->net, i)->count, sizeof(double), "a parameter");
    }
}

Tensor *reference_keep(Reference *r, ReferenceNode node, Tensor *y)
{
    CHECK(r->count < REFERENCE_NODES, "more than %d modules", REFERENCE_NODES);
    node.y = y;
    if (y != node.a)                     /* some constructors return x itself where there is nothing to do */
        r->nodes[r->count++] = node;
    return y;
}

/* ---- convolution and linear layers ---- */

/* The sum over output channel c's inputs and window at output pixel (row, column). */
static double correlate(const ReferenceNode *node, const double *x, const double *weight, int n, int c, int row, int column)
{
    const Conv2d *o = &node->conv;
    const Shape in = node->a->shape;
    const int group = c / (node->y->shape.c / o->groups);
    const double *filter = &weight[c * (in.c / o->groups) * o->kernel * o->kernel];
    const int channels = in.c / o->groups, top = row * o->stride - node->above, left = column * o->stride - node->beside;
    double sum = 0;
    for (int i = 0; i < channels; i++)
        for (int ky = 0; ky < o->kernel; ky++) {
            if (top + ky < 0 || top + ky >= in.h)
                continue;
            const double *line = &x[at(in, n, group * channels + i, top + ky, 0)];
            const double *weights = &filter[(i * o->kernel + ky) * o->kernel];
            for (int kx = 0; kx < o->kernel; kx++)
                if (left + kx >= 0 && left + kx < in.w)
                    sum += weights[kx] * line[left + kx];
        }
    return sum;
}

static void conv2d_forward(Reference *r, const ReferenceNode *node)
{
    const Conv2d *o = &node->conv;
    const Shape out = node->y->shape;
    const double *weight = param_of(r, node, 0), *bias = o->bias ? param_of(r, node, 1) : NULL;
    for (int n = 0; n < r->batch; n++)
        for (int c = 0; c < out.c; c++)
            for (int y = 0; y < out.h; y++)
                for (int x = 0; x < out.w; x++)
                    y_of(r, node)[at(out, n, c, y, x)] =
                        correlate(node, x_of(r, node), weight, n, c, y, x) + (bias ? bias[c] : 0);
}

/* Half of what the last of `outputs` windows needs more than there is. */
static int same_before(int side, int outputs, const Conv2d *o)
{
    const int missing = (outputs - 1) * o->stride + o->kernel - side;
    return missing > 0 ? missing / 2 : 0;
}

Tensor *reference_conv2d(Reference *r, const char *name, const Tensor *x, int channels, Conv2d options)
{
    ReferenceNode node = { conv2d_forward, x, .first = network_param_count(r->net), .conv = options };
    node.conv.stride = options.stride ? options.stride : 1;
    node.conv.groups = options.groups ? options.groups : 1;
    const Conv2d *o = &node.conv;
    const int rows = (x->shape.h + o->stride - 1) / o->stride, columns = (x->shape.w + o->stride - 1) / o->stride;
    node.above = o->same ? same_before(x->shape.h, rows, o) : o->pad;
    node.beside = o->same ? same_before(x->shape.w, columns, o) : o->pad;
    Tensor *y = conv2d(r->net, name, x, channels, options);
    CHECK(!o->same || (y->shape.h == rows && y->shape.w == columns), "%d x %d of %d x %d", y->shape.h, y->shape.w, rows, columns);
    return reference_keep(r, node, y);
}

Tensor *reference_pixel_linear(Reference *r, const char *name, const Tensor *x, int features)
{
    const ReferenceNode node = { conv2d_forward, x, .first = network_param_count(r->net),
                                 .conv = { .kernel = 1, .stride = 1, .groups = 1, .bias = true } };
    return reference_keep(r, node, pixel_linear(r->net, name, x, features));
}

static void linear_forward(Reference *r, const ReferenceNode *node)
{
    const size_t inputs = reference_size(r, node->a) / (size_t)r->batch, outputs = (size_t)node->y->shape.c;
    for (size_t n = 0; n < (size_t)r->batch; n++)
        for (size_t o = 0; o < outputs; o++) {
            double sum = node->linear.no_bias ? 0 : param_of(r, node, 1)[o];
            for (size_t i = 0; i < inputs; i++)
                sum += param_of(r, node, 0)[o * inputs + i] * x_of(r, node)[n * inputs + i];
            y_of(r, node)[n * outputs + o] = sum;
        }
}

Tensor *reference_linear_with(Reference *r, const char *name, const Tensor *x, int features, Linear options)
{
    const ReferenceNode node = { linear_forward, x, .first = network_param_count(r->net), .linear = options };
    return reference_keep(r, node, linear_with(r->net, name, x, features, options));
}

Tensor *reference_linear(Reference *r, const char *name, const Tensor *x, int features)
{
    return reference_linear_with(r, name, x, features, (Linear){0});
}

/* ---- normalisation ---- */

enum { BN_WEIGHT, BN_BIAS, BN_MEAN, BN_VARIANCE };

static void channel_statistics(const Reference *r, const ReferenceNode *node, int c, double *mean, double *variance)
{
    const Shape s = node->a->shape;
    const double count = (double)r->batch * s.h * s.w;
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < reference_size(r, node->a); i++) {
            if (channel_of(s, i) != c)
                continue;
            if (pass == 0)
                sum += x_of(r, node)[i];
            else
                squares += pow(x_of(r, node)[i] - sum / count, 2);
        }
    *mean = sum / count;
    *variance = squares / count;
}

static void batchnorm_forward(Reference *r, const ReferenceNode *node)
{
    const Shape s = node->a->shape;
    const double count = (double)r->batch * s.h * s.w;
    for (int c = 0; c < s.c; c++) {
        double mean = param_of(r, node, BN_MEAN)[c], variance = param_of(r, node, BN_VARIANCE)[c];
        r->updated[node->first + BN_MEAN][c] = mean;
        r->updated[node->first + BN_VARIANCE][c] = variance;
        if (r->purpose.statistics == STATISTICS_batch && !network_freezes(r->net, node->y->producer)) {
            const double old_mean = mean, old_variance = variance;
            channel_statistics(r, node, c, &mean, &variance);
            r->updated[node->first + BN_MEAN][c] = (1 - node->momentum) * old_mean + node->momentum * mean;
            r->updated[node->first + BN_VARIANCE][c] =
                (1 - node->momentum) * old_variance + node->momentum * variance * count / (count - 1);
        }
        const double scale = param_of(r, node, BN_WEIGHT)[c] / sqrt(variance + node->eps);
        for (size_t i = 0; i < reference_size(r, node->a); i++)
            if (channel_of(s, i) == c)
                y_of(r, node)[i] = scale * (x_of(r, node)[i] - mean) + param_of(r, node, BN_BIAS)[c];
    }
}

Tensor *reference_batchnorm(Reference *r, const char *name, const Tensor *x)
{
    const ReferenceNode node = { batchnorm_forward, x, .first = network_param_count(r->net), .eps = 1e-5, .momentum = 0.1 };
    return reference_keep(r, node, batchnorm(r->net, name, x));
}

Tensor *reference_batchnorm_with(Reference *r, const char *name, const Tensor *x, BatchNorm options)
{
    const ReferenceNode node = { batchnorm_forward, x, .first = network_param_count(r->net), .eps = (double)options.eps,
                                 .momentum = (double)options.momentum };
    return reference_keep(r, node, batchnorm_with(r->net, name, x, options));
}

static void layernorm_forward(Reference *r, const ReferenceNode *node)
{
    const Shape s = node->a->shape;
    const double *x = x_of(r, node);
    for (int n = 0; n < r->batch; n++)
        for (int pixel = 0; pixel < s.h * s.w; pixel++) {
            double mean = 0, variance = 0;
            for (int c = 0; c < s.c; c++)
                mean += x[at(s, n, c, 0, pixel)] / s.c;
            for (int c = 0; c < s.c; c++)
                variance += pow(x[at(s, n, c, 0, pixel)] - mean, 2) / s.c;
            for (int c = 0; c < s.c; c++)
                y_of(r, node)[at(s, n, c, 0, pixel)] = param_of(r, node, 0)[c] * (x[at(s, n, c, 0, pixel)] - mean) /
                                                       sqrt(variance + node->eps) + param_of(r, node, 1)[c];
        }
}

Tensor *reference_layernorm(Reference *r, const char *name, const Tensor *x, float eps)
{
    const ReferenceNode node = { layernorm_forward, x, .first = network_param_count(r->net), .eps = (double)eps };
    return reference_keep(r, node, layernorm(r->net, name, x, eps));
}

/* ---- pooling ---- */

/* Rows top .. bottom - 1 and columns left .. right - 1. */
typedef struct Window { int top, bottom, left, right; } Window;

/* The mean, or the largest, of a window of one channel. */
static double reduce(Reference *r, const ReferenceNode *node, int n, int c, Window w, bool largest)
{
    double sum = 0, first = -INFINITY, second = -INFINITY;
    for (int y = w.top; y < w.bottom; y++)
        for (int x = w.left; x < w.right; x++) {
            const double value = x_of(r, node)[at(node->a->shape, n, c, y, x)];
            sum += value;
            second = value > first ? first : fmax(second, value);
            first = fmax(first, value);
        }
    if (!largest)
        return sum / ((w.bottom - w.top) * (w.right - w.left));
    r->margin = fmin(r->margin, first - second);
    return first;
}

static int larger(int a, int b)  { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

static void pool_windows(Reference *r, const ReferenceNode *node, bool largest)
{
    const Pool *o = &node->pool;
    const Shape in = node->a->shape, out = node->y->shape;
    for (int n = 0; n < r->batch; n++)
        for (int c = 0; c < out.c; c++)
            for (int y = 0; y < out.h; y++)
                for (int x = 0; x < out.w; x++) {
                    const int top = y * o->stride - o->pad, left = x * o->stride - o->pad;
                    const Window w = { larger(top, 0), smaller(top + o->kernel, in.h),
                                       larger(left, 0), smaller(left + o->kernel, in.w) };
                    y_of(r, node)[at(out, n, c, y, x)] = reduce(r, node, n, c, w, largest);
                }
}

static void max_pool_forward(Reference *r, const ReferenceNode *node) { pool_windows(r, node, true); }
static void avg_pool_forward(Reference *r, const ReferenceNode *node) { pool_windows(r, node, false); }

static ReferenceNode pool_node(void (*forward)(Reference *, const ReferenceNode *), const Tensor *x, Pool options)
{
    ReferenceNode node = { forward, x, .pool = options };
    node.pool.stride = options.stride ? options.stride : options.kernel;
    return node;
}

Tensor *reference_max_pool(Reference *r, const char *name, const Tensor *x, Pool options)
{
    return reference_keep(r, pool_node(max_pool_forward, x, options), max_pool(r->net, name, x, options));
}

Tensor *reference_avg_pool(Reference *r, const char *name, const Tensor *x, Pool options)
{
    return reference_keep(r, pool_node(avg_pool_forward, x, options), avg_pool(r->net, name, x, options));
}

static void adaptive_avg_pool_forward(Reference *r, const ReferenceNode *node)
{
    const Shape in = node->a->shape, out = node->y->shape;
    const double rows = (double)in.h / out.h, columns = (double)in.w / out.w;
    for (int n = 0; n < r->batch; n++)
        for (int c = 0; c < out.c; c++)
            for (int y = 0; y < out.h; y++)
                for (int x = 0; x < out.w; x++) {
                    const Window w = { (int)floor(y * rows + 1e-9), (int)ceil((y + 1) * rows - 1e-9),
                                       (int)floor(x * columns + 1e-9), (int)ceil((x + 1) * columns - 1e-9) };
                    y_of(r, node)[at(out, n, c, y, x)] = reduce(r, node, n, c, w, false);
                }
}

Tensor *reference_adaptive_avg_pool(Reference *r, const char *name, const Tensor *x, int side)
{
    return reference_keep(r, (ReferenceNode){ adaptive_avg_pool_forward, .a = x }, adaptive_avg_pool(r->net, name, x, side));
}

static void global_avg_pool_forward(Reference *r, const ReferenceNode *node)
{
    const Shape in = node->a->shape;
    for (int n = 0; n < r->batch; n++)
        for (int c = 0; c < in.c; c++)
            y_of(r, node)[at(node->y->shape, n, c, 0, 0)] = reduce(r, node, n, c, (Window){ 0, in.h, 0, in.w }, false);
}

Tensor *reference_global_avg_pool(Reference *r, const char *name, const Tensor *x)
{
    return reference_keep(r, (ReferenceNode){ global_avg_pool_forward, .a = x }, global_avg_pool(r->net, name, x));
}

/* ---- squeeze and excite ---- */

enum { SE_CHANNELS = 64 };

/* One layer on a row of numbers. */
static void dense(const double *weight, const double *bias, const double *x, int inputs, double *y, int outputs)
{
    for (int o = 0; o < outputs; o++) {
        y[o] = bias[o];
        for (int i = 0; i < inputs; i++)
            y[o] += weight[o * inputs + i] * x[i];
    }
}

static void squeeze_excite_forward(Reference *r, const ReferenceNode *node)
{
    const Shape s = node->a->shape;
    const int reduced = node->reduced, slopes = activation_key(node->act) == ACT_prelu;
    double mean[SE_CHANNELS], middle[SE_CHANNELS], gate[SE_CHANNELS];
    for (int n = 0; n < r->batch; n++) {
        for (int c = 0; c < s.c; c++)
            mean[c] = reduce(r, node, n, c, (Window){ 0, s.h, 0, s.w }, false);
        dense(param_of(r, node, 0), param_of(r, node, 1), mean, s.c, middle, reduced);
        for (int i = 0; i < reduced; i++)
            middle[i] = reference_apply(r, node->act, slopes ? param_of(r, node, 2)[i] : 0, middle[i]);
        dense(param_of(r, node, 2 + slopes), param_of(r, node, 3 + slopes), middle, reduced, gate, s.c);
        for (int c = 0; c < s.c; c++)
            for (int pixel = 0; pixel < s.h * s.w; pixel++)
                y_of(r, node)[at(s, n, c, 0, pixel)] = x_of(r, node)[at(s, n, c, 0, pixel)] / (1 + exp(-gate[c]));
    }
}

Tensor *reference_squeeze_excite(Reference *r, const char *name, const Tensor *x, int reduced, Activation act)
{
    CHECK(x->shape.c <= SE_CHANNELS && reduced <= SE_CHANNELS, "%d and %d channels", x->shape.c, reduced);
    const ReferenceNode node = { squeeze_excite_forward, x, .first = network_param_count(r->net), .act = act,
                                 .reduced = reduced };
    return reference_keep(r, node, squeeze_excite(r->net, name, x, reduced, act));
}

/* ---- running ---- */

void reference_run(Reference *r, Purpose purpose)
{
    r->purpose = purpose;
    r->margin = INFINITY;
    for (int i = 0; i < r->count; i++)
        r->nodes[i].forward(r, &r->nodes[i]);
}

const double *reference_output(const Reference *r)
{
    return r->values[network_logits(r->net)->index];
}
