/* layers.c - see layers.h. */

#include "layers.h"

#include <stdarg.h>
#include <string.h>

#include "json_made.h"

enum { SHAPE_TEXT = 48, COUNTER_BYTES = 8 };

/* ---- what a layer was built with ---- */

static void append(char text[LAYER_OPTIONS], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char text[LAYER_OPTIONS], const char *format, ...)
{
    const size_t at = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    if (at > 0 && at + 1 < LAYER_OPTIONS)
        text[at] = ' ';
    vsnprintf(text + at + (at > 0), LAYER_OPTIONS - at - (at > 0), format, arguments);
    va_end(arguments);
}

static int64_t integer_or(const ModuleDescription *d, const char *name, int64_t otherwise)
{
    for (int i = 0; i < d->integer_count; i++)
        if (!strcmp(d->integers[i].name, name))
            return d->integers[i].value;
    return otherwise;
}

/* The four sides' padding: a number where they agree. */
static void append_padding(char text[LAYER_OPTIONS], const ModuleDescription *d)
{
    const int64_t all = integer_or(d, "pad", 0), top = integer_or(d, "pad_top", all), left = integer_or(d, "pad_left", all);
    const int64_t bottom = integer_or(d, "pad_bottom", all), right = integer_or(d, "pad_right", all);
    if (top == left && top == bottom && top == right && top > 0)
        append(text, "pad %lld", (long long)top);
    else if (top + left + bottom + right > 0)
        append(text, "pad %lld,%lld,%lld,%lld", (long long)top, (long long)left, (long long)bottom, (long long)right);
}

const char *layer_options(const ModuleDescription *d, char text[LAYER_OPTIONS])
{
    const int64_t kernel = integer_or(d, "kernel", 0), stride = integer_or(d, "stride", 1), groups = integer_or(d, "groups", 1);
    char function[ACTIVATION_TEXT];
    *text = '\0';
    if (activation_key(d->function) != ACT_native)
        append(text, "%s", activation_text(d->function, function, sizeof function));
    if (kernel > 0)
        append(text, "%lldx%lld", (long long)kernel, (long long)kernel);
    if (stride > 1)
        append(text, "stride %lld", (long long)stride);
    append_padding(text, d);
    if (groups > 1)
        append(text, "groups %lld", (long long)groups);
    for (int i = 0; i < d->float_count; i++)
        append(text, "%s %g", d->floats[i].name, (double)d->floats[i].value);
    return text;
}

double layer_output_bytes(const ModuleDescription *d)
{
    return (double)sizeof(float) * (double)shape_size(d->out);
}

double layer_parameter_bytes(const ModuleDescription *d)
{
    double bytes = 0;
    for (int i = 0; i < d->param_count; i++)
        bytes += (double)d->params[i]->count * (d->params[i]->role == PARAM_counter ? COUNTER_BYTES : (int)sizeof(float));
    return bytes;
}

/* ---- text ---- */

typedef struct Sums {
    double parameters, macs, output_bytes, parameter_bytes, seconds;
} Sums;

static Sums sums_of(const Network *network, const double *seconds)
{
    Sums sums = { 0 };
    const int count = network_module_count(network);
    for (int i = 0; i < count; i++) {
        const ModuleDescription d = network_describe(network, network_module(network, i));
        sums.parameters += (double)description_trained(&d);
        sums.macs += d.macs;
        sums.output_bytes += layer_output_bytes(&d);
        sums.parameter_bytes += layer_parameter_bytes(&d);
    }
    for (int i = 0; seconds && i <= count; i++)
        sums.seconds += seconds[i];
    return sums;
}

static const char *shape_text(Shape shape, char text[SHAPE_TEXT])
{
    snprintf(text, SHAPE_TEXT, "%d x %d x %d", shape.c, shape.h, shape.w);
    return text;
}

static void widen(int *width, const char *text)
{
    *width = (int)strlen(text) > *width ? (int)strlen(text) : *width;
}

static void print_time(double seconds, const Sums *sums, FILE *stream)
{
    fprintf(stream, " %10.3f %6.1f%%", 1e3 * seconds, sums->seconds > 0 ? 100 * seconds / sums->seconds : 0);
}

void layers_print(const Network *network, const double *seconds, FILE *stream)
{
    const int count = network_module_count(network);
    const Sums sums = sums_of(network, seconds);
    char options[LAYER_OPTIONS], shape[SHAPE_TEXT];
    int name_width = 16, options_width = 7;
    for (int i = 0; i < count; i++) {
        const ModuleDescription d = network_describe(network, network_module(network, i));
        widen(&name_width, d.name);
        widen(&options_width, layer_options(&d, options));
    }
    fprintf(stream, "%-*s %-16s %-*s %16s %12s %14s %12s%s\n", name_width, "layer", "kind", options_width, "options", "output", "parameters",
            "multiply-adds", "bytes", seconds ? "         ms    time" : "");
    for (int i = 0; i < count; i++) {
        const ModuleDescription d = network_describe(network, network_module(network, i));
        fprintf(stream, "%-*s %-16s %-*s %16s %12zu %14.0f %12.0f", name_width, d.name, d.kind, options_width, layer_options(&d, options),
                shape_text(d.out, shape), description_trained(&d), d.macs, layer_output_bytes(&d));
        if (seconds)
            print_time(seconds[i], &sums, stream);
        fputc('\n', stream);
    }
    if (seconds) {
        fprintf(stream, "%-*s %-16s %-*s %16s %12s %14s %12s", name_width, "rest of the step", "", options_width, "", "", "", "", "");
        print_time(seconds[count], &sums, stream);
        fputc('\n', stream);
    }
    fprintf(stream, "%-*s %-16s %-*s %16s %12.0f %14.0f %12.0f", name_width, "total", "", options_width, "", "", sums.parameters, sums.macs,
            sums.output_bytes);
    if (seconds)
        print_time(sums.seconds, &sums, stream);
    fputc('\n', stream);
}

/* ---- JSON ---- */

static json_t *options_json(const ModuleDescription *d)
{
    json_t *options = json_made(json_object());
    char function[ACTIVATION_TEXT];
    if (activation_key(d->function) != ACT_native)
        json_object_set_new(options, "function", json_made(json_string(activation_text(d->function, function, sizeof function))));
    for (int i = 0; i < d->integer_count; i++)
        json_object_set_new(options, d->integers[i].name, json_made(json_integer(d->integers[i].value)));
    for (int i = 0; i < d->float_count; i++)
        json_object_set_new(options, d->floats[i].name, json_made(json_real((double)d->floats[i].value)));
    return options;
}

static json_t *figures_json(double parameters, double macs, double output_bytes, double parameter_bytes)
{
    return json_made(json_pack("{s:I, s:I, s:I, s:I}", "parameters", (json_int_t)parameters, "multiply_adds", (json_int_t)macs, "output_bytes",
                               (json_int_t)output_bytes, "parameter_bytes", (json_int_t)parameter_bytes));
}

static json_t *layer_json(const Network *network, const Module *module)
{
    const ModuleDescription d = network_describe(network, module);
    json_t *layer = json_made(json_pack("{s:s, s:s, s:[i, i, i], s:o}", "name", d.name, "kind", d.kind, "output", d.out.c, d.out.h, d.out.w,
                                        "options", options_json(&d)));
    json_t *inputs = json_made(json_array());
    for (int i = 0; i < module->inputs; i++)
        json_append(inputs, json_string(module->in[i]->producer ? module->in[i]->producer->name : ""));
    json_object_set_new(layer, "inputs", inputs);
    json_t *figures = figures_json((double)description_trained(&d), d.macs, layer_output_bytes(&d), layer_parameter_bytes(&d));
    json_object_update(layer, figures);
    json_decref(figures);
    return layer;
}

json_t *layers_json(const Network *network, const double *seconds)
{
    const Sums sums = sums_of(network, seconds);
    json_t *layers = json_made(json_array());
    for (int i = 0; i < network_module_count(network); i++) {
        json_t *layer = layer_json(network, network_module(network, i));
        if (seconds) {
            json_object_set_new(layer, "seconds", json_made(json_real(seconds[i])));
            json_object_set_new(layer, "share", json_made(json_real(sums.seconds > 0 ? seconds[i] / sums.seconds : 0)));
        }
        json_append(layers, layer);
    }
    json_t *total = figures_json(sums.parameters, sums.macs, sums.output_bytes, sums.parameter_bytes);
    if (seconds)
        json_object_set_new(total, "seconds", json_made(json_real(sums.seconds)));
    return json_made(json_pack("{s:o, s:o}", "layers", layers, "total", total));
}
