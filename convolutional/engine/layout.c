/* layout.c - see layout.h. */

#include "layout.h"

#include "errors.h"

#include <stdio.h>
#include <string.h>

static dnnl_engine_t the_engine;
static dnnl_stream_t the_stream;

dnnl_engine_t onednn_engine(void)
{
    if (!the_engine)
        DNNL(dnnl_engine_create(&the_engine, dnnl_cpu, 0));
    return the_engine;
}

dnnl_stream_t onednn_stream(void)
{
    if (!the_stream)
        DNNL(dnnl_stream_create(&the_stream, onednn_engine(), dnnl_stream_default_flags));
    return the_stream;
}

/* oneDNN keeps process-wide state of its own; releasing these keeps leak checkers quiet about ours. */
__attribute__((destructor)) static void onednn_release(void)
{
    if (the_stream)
        dnnl_stream_destroy(the_stream);
    if (the_engine)
        dnnl_engine_destroy(the_engine);
}

/* What a blocked descriptor says. */
typedef struct Blocking {
    int           rank, blocks;
    const int64_t *dims, *padded, *strides, *block_sizes, *block_dims;
} Blocking;

static bool blocking_of(const_dnnl_memory_desc_t desc, Blocking *b)
{
    dnnl_format_kind_t kind;
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_format_kind, &kind));
    if (kind != dnnl_blocked)
        return false;
    const dnnl_dims_t *dims, *padded, *strides, *sizes, *indices;
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &b->rank));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_dims, &dims));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_padded_dims, &padded));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_strides, &strides));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_inner_nblks_s32, &b->blocks));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_inner_blks, &sizes));
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_inner_idxs, &indices));
    b->dims = *dims;
    b->padded = *padded;
    b->strides = *strides;
    b->block_sizes = *sizes;
    b->block_dims = *indices;
    return true;
}

dnnl_memory_desc_t layout_new(int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    dnnl_dims_t sizes = {0};
    CHECK(rank > 0 && rank <= LAYOUT_MAX_RANK, "a layout of rank %d, at most %d", rank, LAYOUT_MAX_RANK);
    memcpy(sizes, dims, (size_t)rank * sizeof *dims);
    dnnl_memory_desc_t desc;
    DNNL(dnnl_memory_desc_create_with_tag(&desc, rank, sizes, dnnl_f32, tag));
    return desc;
}

dnnl_memory_desc_t layout_new_plain(const_dnnl_memory_desc_t like)
{
    static const dnnl_format_tag_t tags[] = { 0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde };
    const int rank = layout_rank(like);
    CHECK(rank > 0 && rank <= LAYOUT_MAX_RANK, "a layout of rank %d, at most %d", rank, LAYOUT_MAX_RANK);
    return layout_new(rank, layout_dims(like), tags[rank]);
}

dnnl_format_tag_t layout_tag(const View *view)
{
    if (view->block == 1)
        return dnnl_nchw;
    if (view->block == view->c && view->padded == view->c)
        return dnnl_nhwc;
    return view->block == 4 ? dnnl_nChw4c : view->block == 8 ? dnnl_nChw8c : dnnl_nChw16c;
}

dnnl_memory_desc_t layout_new_of_type(const_dnnl_memory_desc_t like, dnnl_data_type_t type)
{
    View view;
    Blocking b;
    dnnl_dims_t dims = {0}, strides = {0};
    const int rank = layout_rank(like);
    memcpy(dims, layout_dims(like), (size_t)rank * sizeof *dims);
    dnnl_memory_desc_t desc;
    if (!blocking_of(like, &b)) {
        DNNL(dnnl_memory_desc_create_with_tag(&desc, rank, dims, type, dnnl_format_tag_any));
    } else if (layout_view(like, &view)) {
        DNNL(dnnl_memory_desc_create_with_tag(&desc, rank, dims, type, layout_tag(&view)));
    } else {
        CHECK(b.blocks == 0, "a layout of %d dims and %d blocks in another type", rank, b.blocks);
        memcpy(strides, b.strides, (size_t)rank * sizeof *strides);
        DNNL(dnnl_memory_desc_create_with_strides(&desc, rank, dims, type, strides));
    }
    return desc;
}

bool layout_is_bf16(const_dnnl_memory_desc_t desc)
{
    dnnl_data_type_t type;
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_data_type, &type));
    return type == dnnl_bf16;
}

int layout_rank(const_dnnl_memory_desc_t desc)
{
    int rank;
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &rank));
    return rank;
}

const int64_t *layout_dims(const_dnnl_memory_desc_t desc)
{
    const dnnl_dims_t *dims;
    DNNL(dnnl_memory_desc_query(desc, dnnl_query_dims, &dims));
    return *dims;
}

/* Strides of dimensions of size 1 say nothing about where the bytes lie. */
static bool same_places(const Blocking *a, const Blocking *b)
{
    if (a->rank != b->rank || a->blocks != b->blocks)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i] || a->padded[i] != b->padded[i] || (a->dims[i] > 1 && a->strides[i] != b->strides[i]))
            return false;
    for (int i = 0; i < a->blocks; i++)
        if (a->block_sizes[i] != b->block_sizes[i] || a->block_dims[i] != b->block_dims[i])
            return false;
    return true;
}

/* Views say it all where both have one; of a 1 x 1 image without padding, the block says nothing either. */
static bool same_views(const View *a, const View *b)
{
    if (a->n != b->n || a->c != b->c || a->h != b->h || a->w != b->w || a->padded != b->padded)
        return false;
    return a->block == b->block || (view_pixels(a) == 1 && a->padded == a->c);
}

bool layout_same_bytes(const_dnnl_memory_desc_t a, const_dnnl_memory_desc_t b)
{
    View first, second;
    if (dnnl_memory_desc_equal(a, b))
        return true;
    if (layout_is_bf16(a) != layout_is_bf16(b))
        return false;
    if (layout_view(a, &first) && layout_view(b, &second))
        return same_views(&first, &second);
    Blocking left, right;
    return blocking_of(a, &left) && blocking_of(b, &right) && same_places(&left, &right);
}

/* Whether neighbouring channels (or blocks of them, `channels` in all), rows and columns lie so many numbers apart. Of what there is one,
 * the stride says nothing. */
static bool strides_are(const Blocking *b, int64_t channels, int64_t channel, int64_t row, int64_t column)
{
    return (channels == 1 || b->strides[1] == channel) && (b->dims[2] == 1 || b->strides[2] == row) &&
           (b->dims[3] == 1 || b->strides[3] == column);
}

/* A primitive that may choose can put the rows or columns outside the blocks of channels: where its input has one of them, it cannot see
 * their order. */
bool layout_view(const_dnnl_memory_desc_t desc, View *view)
{
    Blocking b;
    if (!blocking_of(desc, &b) || b.rank != 4 || b.blocks > 1)
        return false;
    *view = (View){ .n = (int)b.dims[0], .c = (int)b.dims[1], .h = (int)b.dims[2], .w = (int)b.dims[3],
                    .padded = (int)b.padded[1] };
    const int64_t c = b.padded[1], h = b.dims[2], w = b.dims[3];
    if (b.blocks == 1) {
        const int64_t block = b.block_sizes[0];
        view->block = (int)block;
        return b.block_dims[0] == 1 && (block == 4 || block == 8 || block == 16) &&
               strides_are(&b, c / block, h * w * block, w * block, block);
    }
    const bool last = strides_are(&b, c, 1, w * c, c);
    view->block = last ? (int)c : 1;
    return last || strides_are(&b, c, h * w, w, 1);
}

bool layout_batch_last(const_dnnl_memory_desc_t desc, View *view)
{
    Blocking b;
    if (!blocking_of(desc, &b) || b.rank != 4 || b.blocks != 1 || b.block_dims[0] != 0 || b.dims[0] != b.padded[0])
        return false;
    const int64_t images = b.block_sizes[0], h = b.dims[2], w = b.dims[3];
    *view = (View){ .n = (int)(b.dims[0] / images), .c = (int)b.dims[1], .h = (int)h, .w = (int)(w * images), .block = 1,
                    .padded = (int)b.dims[1] };
    return strides_are(&b, b.dims[1], h * w * images, w * images, images);
}

const char *layout_text(const_dnnl_memory_desc_t desc, char *text, size_t size)
{
    View view;
    Blocking b;
    if (layout_view(desc, &view)) {
        const char *type = layout_is_bf16(desc) ? " bf16" : "";
        if (view.block == 1)
            snprintf(text, size, "nchw%s", type);
        else if (view.block == view.c && view.padded == view.c)
            snprintf(text, size, "nhwc%s", type);
        else
            snprintf(text, size, "nChw%dc%s", view.block, type);
    } else if (layout_batch_last(desc, &view)) {
        snprintf(text, size, "Nchw%dn", (int)(layout_dims(desc)[0] / view.n));
    } else if (blocking_of(desc, &b)) {
        size_t at = (size_t)snprintf(text, size, "strides");
        for (int i = 0; i < b.rank && at < size; i++)
            at += (size_t)snprintf(text + at, size - at, "%c%lld", i ? ',' : ' ', (long long)b.strides[i]);
        for (int i = 0; i < b.blocks && at < size; i++)
            at += (size_t)snprintf(text + at, size - at, " %lld%c", (long long)b.block_sizes[i], (char)('a' + b.block_dims[i]));
    } else {
        snprintf(text, size, "opaque");
    }
    return text;
}

static void reorder_once(const_dnnl_memory_desc_t from_desc, const void *from, const_dnnl_memory_desc_t to_desc, void *to)
{
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_memory_t source, target;
    DNNL(dnnl_reorder_primitive_desc_create(&pd, from_desc, onednn_engine(), to_desc, onednn_engine(), NULL));
    DNNL(dnnl_primitive_create(&primitive, pd));
    DNNL(dnnl_memory_create(&source, from_desc, onednn_engine(), (void *)(uintptr_t)from));
    DNNL(dnnl_memory_create(&target, to_desc, onednn_engine(), to));
    const dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, source }, { DNNL_ARG_TO, target } };
    DNNL(dnnl_primitive_execute(primitive, onednn_stream(), 2, arguments));
    DNNL(dnnl_stream_wait(onednn_stream()));
    DNNL(dnnl_memory_destroy(source));
    DNNL(dnnl_memory_destroy(target));
    DNNL(dnnl_primitive_destroy(primitive));
    DNNL(dnnl_primitive_desc_destroy(pd));
}

void layout_to_plain(const_dnnl_memory_desc_t desc, const float *from, float *plain)
{
    dnnl_memory_desc_t row_major = layout_new_plain(desc);
    reorder_once(desc, from, row_major, plain);
    DNNL(dnnl_memory_desc_destroy(row_major));
}

void layout_from_plain(const_dnnl_memory_desc_t desc, const float *plain, float *to)
{
    dnnl_memory_desc_t row_major = layout_new_plain(desc);
    reorder_once(row_major, plain, desc, to);
    DNNL(dnnl_memory_desc_destroy(row_major));
}
