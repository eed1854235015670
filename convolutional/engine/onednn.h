/* onednn.h - oneDNN's C API in its 3.x form, whichever version is installed.
 *
 * Version 2.6 (Debian 12) describes operations by structs that the caller fills, version 3 (Debian 13)
 * by one function an operation and opaque memory descriptors. The code is written for 3.x; below 3 this
 * header gives the same functions. No other file knows the version. */

#ifndef CONVZOO_ONEDNN_H
#define CONVZOO_ONEDNN_H

#include <dnnl.h>

#if DNNL_VERSION_MAJOR < 3

#include <stdlib.h>

typedef dnnl_memory_desc_t       *convzoo_memory_desc;
typedef const dnnl_memory_desc_t *convzoo_const_memory_desc;

static inline dnnl_status_t convzoo_keep(convzoo_memory_desc *out, const dnnl_memory_desc_t *desc)
{
    *out = malloc(sizeof **out);
    if (!*out)
        return dnnl_out_of_memory;
    **out = *desc;
    return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(convzoo_memory_desc *out, int ndims, const dnnl_dims_t dims,
                                                             dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t desc;
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(&desc, ndims, dims, type, tag);
    return status == dnnl_success ? convzoo_keep(out, &desc) : status;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_strides(convzoo_memory_desc *out, int ndims, const dnnl_dims_t dims,
                                                                 dnnl_data_type_t type, const dnnl_dims_t strides)
{
    dnnl_memory_desc_t desc;
    const dnnl_status_t status = dnnl_memory_desc_init_by_strides(&desc, ndims, dims, type, strides);
    return status == dnnl_success ? convzoo_keep(out, &desc) : status;
}

static inline dnnl_status_t dnnl_memory_desc_clone(convzoo_memory_desc *out, convzoo_const_memory_desc desc)
{
    return convzoo_keep(out, desc);
}

static inline dnnl_status_t dnnl_memory_desc_destroy(convzoo_memory_desc desc)
{
    free(desc);
    return dnnl_success;
}

enum {
    dnnl_query_ndims_s32 = 10000, dnnl_query_dims, dnnl_query_data_type, dnnl_query_padded_dims, dnnl_query_strides,
    dnnl_query_inner_nblks_s32, dnnl_query_inner_blks, dnnl_query_inner_idxs, dnnl_query_format_kind,
};

static inline dnnl_status_t dnnl_memory_desc_query(convzoo_const_memory_desc desc, int what, void *result)
{
    const dnnl_blocking_desc_t *blocking = &desc->format_desc.blocking;
    switch (what) {
    case dnnl_query_ndims_s32:       *(int *)result = desc->ndims; break;
    case dnnl_query_dims:            *(const dnnl_dims_t **)result = &desc->dims; break;
    case dnnl_query_data_type:       *(dnnl_data_type_t *)result = desc->data_type; break;
    case dnnl_query_padded_dims:     *(const dnnl_dims_t **)result = &desc->padded_dims; break;
    case dnnl_query_strides:         *(const dnnl_dims_t **)result = &blocking->strides; break;
    case dnnl_query_inner_nblks_s32: *(int *)result = blocking->inner_nblks; break;
    case dnnl_query_inner_blks:      *(const dnnl_dims_t **)result = &blocking->inner_blks; break;
    case dnnl_query_inner_idxs:      *(const dnnl_dims_t **)result = &blocking->inner_idxs; break;
    case dnnl_query_format_kind:     *(dnnl_format_kind_t *)result = desc->format_kind; break;
    default: return dnnl_invalid_arguments;
    }
    return dnnl_success;
}

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
    convzoo_const_memory_desc src, convzoo_const_memory_desc weights, convzoo_const_memory_desc bias,
    convzoo_const_memory_desc dst, const dnnl_dims_t strides, const dnnl_dims_t dilates,
    const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(&desc, kind, algorithm, src, weights, bias, dst,
                                                                            strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, convzoo_const_memory_desc diff_src,
    convzoo_const_memory_desc weights, convzoo_const_memory_desc diff_dst, const dnnl_dims_t strides,
    const dnnl_dims_t dilates, const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(&desc, algorithm, diff_src, weights, diff_dst,
                                                                                  strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, forward) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, convzoo_const_memory_desc src,
    convzoo_const_memory_desc diff_weights, convzoo_const_memory_desc diff_bias, convzoo_const_memory_desc diff_dst,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t left, const dnnl_dims_t right,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &desc, algorithm, src, diff_weights, diff_bias, diff_dst, strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, forward) : status;
}

static inline dnnl_status_t dnnl_inner_product_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t kind, convzoo_const_memory_desc src,
    convzoo_const_memory_desc weights, convzoo_const_memory_desc bias, convzoo_const_memory_desc dst,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status = dnnl_inner_product_forward_desc_init(&desc, kind, src, weights, bias, dst);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_inner_product_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, convzoo_const_memory_desc diff_src, convzoo_const_memory_desc weights,
    convzoo_const_memory_desc diff_dst, const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status = dnnl_inner_product_backward_data_desc_init(&desc, diff_src, weights, diff_dst);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, forward) : status;
}

static inline dnnl_status_t dnnl_inner_product_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, convzoo_const_memory_desc src, convzoo_const_memory_desc diff_weights,
    convzoo_const_memory_desc diff_bias, convzoo_const_memory_desc diff_dst, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(&desc, src, diff_weights, diff_bias, diff_dst);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, forward) : status;
}

/* 2.6's pooling has no dilation; 3.x's zero dilation is the same. */
static inline dnnl_status_t dnnl_pooling_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
    convzoo_const_memory_desc src, convzoo_const_memory_desc dst, const dnnl_dims_t strides, const dnnl_dims_t kernel,
    const dnnl_dims_t dilation, const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_attr_t attr)
{
    (void)dilation;
    dnnl_pooling_desc_t desc;
    const dnnl_status_t status = dnnl_pooling_forward_desc_init(&desc, kind, algorithm, src, dst, strides, kernel, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_pooling_backward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm, convzoo_const_memory_desc diff_src,
    convzoo_const_memory_desc diff_dst, const dnnl_dims_t strides, const dnnl_dims_t kernel, const dnnl_dims_t dilation,
    const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    (void)dilation;
    dnnl_pooling_desc_t desc;
    const dnnl_status_t status =
        dnnl_pooling_backward_desc_init(&desc, algorithm, diff_src, diff_dst, strides, kernel, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, forward) : status;
}

#define dnnl_memory_desc_t       convzoo_memory_desc
#define const_dnnl_memory_desc_t convzoo_const_memory_desc

#endif

#endif
