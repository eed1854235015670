/* precision.c - which products of a mixed-precision program are bf16, and which tensors. (3x3 convolutions of stride 1 are
 * faster with integers of 16 bits: kernels/winograd_int16.h. Their tensors are f32.)
 *
 * bf16 keeps f32's exponent and 8 bits of its fraction: operands lose bits, sums do not. Master weights, gradients of
 * weights, statistics, the loss and the optimiser are f32 in any case. A tensor is bf16 where it lies between two
 * layers that multiply in bf16, or between one and the activations before another; elsewhere a layer's operands are
 * converted on their way in, and its results are f32. */

#include "program_build.h"

/* Multiply-adds for each number that is read, written or converted, from where twice the rate outweighs the conversions. As
 * plan_measure finds: 1x1 convolutions of 16 to 96 channels gain. Layers that read the image do not: they have no backward
 * data to save on. */
static const double worth_converting = 12;

bool program_can_bf16(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

bool program_allows_16_bits(const Program *program)
{
    return program->plan.precision != PRECISION_f32;
}

bool program_prefers_bf16(const Program *program, const Module *module, double conversions, double macs)
{
    const double numbers =
        (double)(shape_size(module->in[0]->shape) + shape_size(module->out->shape)) + conversions / program->batch;
    switch (program->plan.precision) {
    case PRECISION_f32:   return false;
    case PRECISION_mixed: return module->in[0]->producer && macs >= worth_converting * numbers;
    case PRECISION_bf16:  break;
    }
    return true;
}

static bool multiplies_in_bf16(const Module *module, const Program *program)
{
    return module->ops->algorithm && module->ops->algorithm(module, program) == ALGORITHM_bf16;
}

/* An activation with a kernel of its own, number by number. */
static bool passes_on(const Module *module)
{
    return module->ops->function && activation_has_loops(module->ops->function(module));
}

/* Of several readers the gradients are summed, in f32. */
static bool is_read_as_bf16(const Program *program, const Tensor *tensor)
{
    const Module *reader = network_only_reader(program->network, tensor);
    return reader && (multiplies_in_bf16(reader, program) || (passes_on(reader) && is_read_as_bf16(program, reader->out)));
}

static bool is_written_as_bf16(const Program *program, const Tensor *tensor)
{
    const Module *producer = tensor->producer;
    if (!producer)
        return false;
    return multiplies_in_bf16(producer, program) || (passes_on(producer) && is_written_as_bf16(program, producer->in[0]));
}

bool program_is_bf16(const Program *program, const Tensor *tensor)
{
    return program_allows_16_bits(program) && is_written_as_bf16(program, tensor) && is_read_as_bf16(program, tensor);
}
