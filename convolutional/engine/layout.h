/* layout.h - inside the engine: oneDNN memory descriptors in the few forms that occur here.
 *
 * Numbers are f32, or bf16 where a function says so. */

#ifndef CONVZOO_LAYOUT_H
#define CONVZOO_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "onednn.h"
#include "view.h"

enum { LAYOUT_MAX_RANK = 5 };

/* The engine that every primitive of the process runs on; made on first use. */
dnnl_engine_t onednn_engine(void);
dnnl_stream_t onednn_stream(void);

/* A new descriptor of `rank` f32 dims; tag dnnl_format_tag_any leaves the layout to a primitive. Destroyed by the caller. */
dnnl_memory_desc_t layout_new(int rank, const int64_t *dims, dnnl_format_tag_t tag);
/* The same dims, f32, row-major. */
dnnl_memory_desc_t layout_new_plain(const_dnnl_memory_desc_t like);

/* The same layout of other numbers; for what has a view, is row-major or is left to a primitive. */
dnnl_memory_desc_t layout_new_of_type(const_dnnl_memory_desc_t like, dnnl_data_type_t type);

bool           layout_is_bf16(const_dnnl_memory_desc_t desc);
int            layout_rank(const_dnnl_memory_desc_t desc);
const int64_t *layout_dims(const_dnnl_memory_desc_t desc);
/* True if both describe the same numbers of one type in the same places, be it in other words (a 1 x 1 image is the same plain and channels last). */
bool layout_same_bytes(const_dnnl_memory_desc_t a, const_dnnl_memory_desc_t b);
/* N C H W, N H W C, nChw4c (of oneDNN's convolutions in groups), nChw8c or nChw16c as a View; false for anything else. */
bool layout_view(const_dnnl_memory_desc_t desc, View *view);
/* What oneDNN calls such a view's layout. */
dnnl_format_tag_t layout_tag(const View *view);
/* True for N/b C H W b with whole groups of b images; view: the same bytes as N/b C H (b W). */
bool layout_batch_last(const_dnnl_memory_desc_t desc, View *view);
/* "nchw", "nhwc", "nChw16c", "Nchw16n", or strides and blocks in words. */
const char *layout_text(const_dnnl_memory_desc_t desc, char *text, size_t size);

/* Copies between a layout and row-major order. Not for a step: a primitive is made for each call. */
void layout_to_plain(const_dnnl_memory_desc_t desc, const float *from, float *plain);
void layout_from_plain(const_dnnl_memory_desc_t desc, const float *plain, float *to);

#endif
