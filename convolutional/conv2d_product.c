/* conv2d_product.c - the gradient of a 1x1 convolution's weights as a product of matrices, whose rows are pixels:
 *
 *   x         (N H W) C               channels last
 *   dy        (N H W) O
 *   dweight   O C                     dy^T x
 *   dbias     O                       the sum of dy's rows
 *
 * oneDNN has it as the gradient of a linear layer of N H W samples. */

#include "conv2d.h"

#include "errors.h"
#include "kernels.h"

bool conv2d_is_product(const Conv2dModule *conv, const Program *program)
{
    const Conv2d *o = &conv->options;
    return kernels_block() == 8 && program_plan(program)->layout == LAYOUT_channels_last && conv->base.in[0]->producer &&
           o->kernel == 1 && o->stride == 1 && o->pad == 0 && o->groups == 1;
}

void conv2d_product_backward_weights(const Conv2dModule *conv, Emitter *emitter)
{
    const Tensor *in = conv->base.in[0], *out = conv->base.out;
    const int64_t pixels = (int64_t)program_batch(emit_program(emitter)) * out->shape.h * out->shape.w;
    const int64_t x_dims[] = { pixels, in->shape.c }, y_dims[] = { pixels, out->shape.c };
    const int64_t weight_dims[] = { out->shape.c, in->shape.c, 1, 1 };
    const_dnnl_memory_desc_t x_rows = emit_layout(emitter, 2, x_dims, dnnl_ab), y_rows = emit_layout(emitter, 2, y_dims, dnnl_ab);
    const_dnnl_memory_desc_t matrix = emit_layout(emitter, 2, weight_dims, dnnl_ab);
    const_dnnl_memory_desc_t bias = conv->bias ? emit_layout(emitter, 1, weight_dims, dnnl_a) : NULL;
    dnnl_primitive_desc_t hint, pd;
    DNNL(dnnl_inner_product_forward_primitive_desc_create(&hint, onednn_engine(), dnnl_forward_training, x_rows, matrix, bias,
                                                          y_rows, onednn_attr()));
    DNNL(dnnl_inner_product_backward_weights_primitive_desc_create(&pd, onednn_engine(), x_rows, matrix, bias, y_rows, hint,
                                                                   onednn_attr()));
    DNNL(dnnl_primitive_desc_destroy(hint));
    Buffer *x = emit_read(emitter, in, emit_tensor_layout(emitter, in, dnnl_nhwc));
    Buffer *dy = emit_read_gradient(emitter, out, emit_tensor_layout(emitter, out, dnnl_nhwc));
    Buffer *dweight = emit_param_gradient(emitter, conv->weight, emit_layout(emitter, 4, weight_dims, dnnl_oihw));

    Kernel *kernel = emit_primitive(emitter, &conv->base, "backward weights", pd);
    kernel_bind_as(kernel, DNNL_ARG_SRC, x, x_rows);
    kernel_bind_as(kernel, DNNL_ARG_DIFF_DST, dy, y_rows);
    kernel_bind_as(kernel, DNNL_ARG_DIFF_WEIGHTS, dweight, matrix);
    if (conv->bias)
        kernel_bind(kernel, DNNL_ARG_DIFF_BIAS, emit_param_gradient(emitter, conv->bias, NULL));
    kernel_flops(kernel, conv2d_flops(conv, emit_program(emitter)));
}
