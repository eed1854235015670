/* reference_pointwise.c - modules that go number by number; see reference.h. */

#include "reference_nodes.h"

#include "formula.h"

#include <math.h>

double reference_apply(Reference *r, Activation act, double slope, double x)
{
    for (int i = 0; i < act.info->kink_count; i++)
        r->margin = fmin(r->margin, fabs(x - act.info->kinks[i]));
    if (activation_key(act) == ACT_prelu)      /* a learned slope has all digits of a double here */
        return x > 0 ? x : slope * x;
    return activation_value(act, x);
}

static void activation_forward(Reference *r, const ReferenceNode *node)
{
    const bool slopes = activation_key(node->act) == ACT_prelu;
    for (size_t i = 0; i < reference_size(r, node->a); i++) {
        const double slope = slopes ? param_of(r, node, 0)[channel_of(node->a->shape, i)] : 0;
        y_of(r, node)[i] = reference_apply(r, node->act, slope, x_of(r, node)[i]);
    }
}

/* x and g are the two halves of a gated unit's channels; parameters of a typed formula are one a channel. */
static void formula_forward(Reference *r, const ReferenceNode *node)
{
    const Formula *formula = formula_of(node->act.info);
    const Shape s = node->y->shape;
    const size_t image = (size_t)s.c * (size_t)s.h * (size_t)s.w;
    for (size_t i = 0; i < reference_size(r, node->y); i++) {
        const size_t from = formula->gated ? i / image * 2 * image + i % image : i;
        double parameters[EXPRESSION_PARAMETERS] = { 0 };
        for (int p = 0; p < formula->parameters; p++)
            parameters[p] = node->act.info->learned ? param_of(r, node, p)[channel_of(s, i)] : (double)node->act.parameters[p];
        if (formula->noise >= 0)
            parameters[formula->noise] = 0.5;
        y_of(r, node)[i] = expression_value(formula->value, x_of(r, node)[from], formula->gated ? x_of(r, node)[from + image] : 0, parameters);
    }
}

Tensor *reference_activation(Reference *r, const char *name, const Tensor *x, Activation act)
{
    const bool loops = activation_key(act) != ACT_formula;
    const ReferenceNode node = { loops ? activation_forward : formula_forward, x, .first = network_param_count(r->net), .act = act };
    return reference_keep(r, node, activation(r->net, name, x, act));
}

static void dropout_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = x_of(r, node)[i] * (r->purpose.dropout ? r->mask[i] : 1);
}

Tensor *reference_dropout(Reference *r, const char *name, const Tensor *x, float p)
{
    return reference_keep(r, (ReferenceNode){ dropout_forward, .a = x }, dropout(r->net, name, x, p));
}

Tensor *reference_drop_path(Reference *r, const char *name, const Tensor *x, float p)
{
    return reference_keep(r, (ReferenceNode){ dropout_forward, .a = x }, drop_path(r->net, name, x, p));
}

static void layer_scale_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = param_of(r, node, 0)[channel_of(node->a->shape, i)] * x_of(r, node)[i];
}

Tensor *reference_layer_scale(Reference *r, const char *name, const Tensor *x, float start)
{
    const ReferenceNode node = { layer_scale_forward, x, .first = network_param_count(r->net) };
    return reference_keep(r, node, layer_scale(r->net, name, x, start));
}

static void constant_scale_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = node->factor * x_of(r, node)[i];
}

Tensor *reference_constant_scale(Reference *r, const char *name, const Tensor *x, float factor)
{
    const ReferenceNode node = { constant_scale_forward, x, .factor = (double)factor };
    return reference_keep(r, node, constant_scale(r->net, name, x, factor));
}

static void probe_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = x_of(r, node)[i] + param_of(r, node, 0)[i];
}

Tensor *reference_probe(Reference *r, const char *name, const Tensor *x, dnnl_format_tag_t tag)
{
    const ReferenceNode node = { probe_forward, x, .first = network_param_count(r->net) };
    return reference_keep(r, node, probe(r->net, name, x, r->batch, tag));
}

static void flatten_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = x_of(r, node)[i];
}

Tensor *reference_flatten(Reference *r, const char *name, const Tensor *x)
{
    return reference_keep(r, (ReferenceNode){ flatten_forward, .a = x }, flatten(r->net, name, x));
}

/* ---- two inputs ---- */

static void add_forward(Reference *r, const ReferenceNode *node)
{
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = x_of(r, node)[i] + r->values[node->b->index][i];
}

Tensor *reference_add(Reference *r, const char *name, const Tensor *a, const Tensor *b)
{
    return reference_keep(r, (ReferenceNode){ add_forward, .a = a, .b = b }, add(r->net, name, a, b));
}

static void channel_gate_forward(Reference *r, const ReferenceNode *node)
{
    const Shape s = node->a->shape;
    for (size_t i = 0; i < reference_size(r, node->a); i++)
        y_of(r, node)[i] = x_of(r, node)[i] * r->values[node->b->index][i / ((size_t)s.h * (size_t)s.w)];
}

Tensor *reference_channel_gate(Reference *r, const char *name, const Tensor *x, const Tensor *gate)
{
    return reference_keep(r, (ReferenceNode){ channel_gate_forward, .a = x, .b = gate }, channel_gate(r->net, name, x, gate));
}
