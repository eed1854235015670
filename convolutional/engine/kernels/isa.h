/* isa.h - what a file of hot loops needs.
 *
 * Every .c here is compiled once per instruction set, with ISA defined as base, avx2 or avx512; one also as avx512vnni.
 * KERNEL(kernel_add) names the variant; engine/dispatch.c forwards kernel_add to the best one. */

#ifndef CONVZOO_ISA_H
#define CONVZOO_ISA_H

#include "kernels.h"

#define KERNEL_JOIN_(name, isa) name##_##isa
#define KERNEL_JOIN(name, isa)  KERNEL_JOIN_(name, isa)
#define KERNEL(name)            KERNEL_JOIN(name, ISA)

#define KERNEL_ROW(type, name, parameters, arguments) type KERNEL(name) parameters;
#include "kernels.def"
#undef KERNEL_ROW

/* Floats in the widest vector of this instruction set. */
#if defined(__AVX512F__)
enum { VECTOR = 16 };
#elif defined(__AVX2__)
enum { VECTOR = 8 };
#else
enum { VECTOR = 4 };
#endif

typedef float Vector __attribute__((vector_size(VECTOR * sizeof(float))));
/* The same at any address. */
typedef float VectorAt __attribute__((vector_size(VECTOR * sizeof(float)), aligned(4), may_alias));

static inline Vector vector_load(const float *from)            { return *(const VectorAt *)from; }
static inline void   vector_store(float *to, Vector value)     { *(VectorAt *)to = value; }
static inline Vector vector_all(float value)                   { return value - (Vector){0}; }

#endif
