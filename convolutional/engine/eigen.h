/* eigen.h - eigenvalues and eigenvectors of a small symmetric matrix.
 *
 * Jacobi's rotations (1846), cyclic, in double: as exact as the matrix, for a few hundred rows. */

#ifndef CONVZOO_EIGEN_H
#define CONVZOO_EIGEN_H

/* matrix: n x n, symmetric, destroyed. values: n, the largest first. vectors: n x n, one a row, of length 1; its component of
 * largest magnitude is positive, which makes it unique. */
void eigen_symmetric(int n, double *matrix, double *values, double *vectors);

#endif
