/* peak.c - see peak.h. */

#include "peak.h"

#include "clock.h"
#include "errors.h"
#include "layout.h"
#include "threads.h"

#include <stdlib.h>

enum { SIDE = 1024 };

typedef struct Product {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t  arguments[3];
    void            *matrices[3];
} Product;

static const int slots[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST };

static Product product_new(bool bf16)
{
    Product product = { 0 };
    const int64_t dims[] = { SIDE, SIDE };
    dnnl_memory_desc_t f32 = layout_new(2, dims, dnnl_format_tag_any);
    dnnl_memory_desc_t any = layout_new_of_type(f32, bf16 ? dnnl_bf16 : dnnl_f32);
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_inner_product_forward_primitive_desc_create(&pd, onednn_engine(), dnnl_forward_inference, any, any, NULL, any,
                                                          NULL));
    DNNL(dnnl_primitive_create(&product.primitive, pd));
    static const dnnl_query_t queries[] = { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md };
    for (int i = 0; i < 3; i++) {
        const_dnnl_memory_desc_t layout = dnnl_primitive_desc_query_md(pd, queries[i], 0);
        product.matrices[i] = allocate(1, dnnl_memory_desc_get_size(layout), "a matrix");
        product.arguments[i].arg = slots[i];
        DNNL(dnnl_memory_create(&product.arguments[i].memory, layout, onednn_engine(), product.matrices[i]));
    }
    DNNL(dnnl_primitive_desc_destroy(pd));
    DNNL(dnnl_memory_desc_destroy(any));
    DNNL(dnnl_memory_desc_destroy(f32));
    return product;
}

static void product_free(Product *product)
{
    for (int i = 0; i < 3; i++) {
        DNNL(dnnl_memory_destroy(product->arguments[i].memory));
        free(product->matrices[i]);
    }
    DNNL(dnnl_primitive_destroy(product->primitive));
}

double peak_flops(bool bf16)
{
    threads_settle(0);
    Product product = product_new(bf16);
    double least = 0.0;
    const double end = seconds_now() + 0.1;
    for (double begin = seconds_now(); begin < end || least == 0.0; begin = seconds_now()) {
        DNNL(dnnl_primitive_execute(product.primitive, onednn_stream(), 3, product.arguments));
        DNNL(dnnl_stream_wait(onednn_stream()));
        const double seconds = seconds_now() - begin;
        least = least == 0.0 || seconds < least ? seconds : least;
    }
    product_free(&product);
    return 2.0 * SIDE * SIDE * SIDE / least;
}
