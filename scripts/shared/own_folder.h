/* own_folder.h - where the running program's file lies: the others lie beside it. */

#ifndef CONVZOO_OWN_FOLDER_H
#define CONVZOO_OWN_FOLDER_H

#include "errors.h"

/* However it was called. The caller frees it; NULL and a line without /proc. */
char *own_folder(Error *error);

#endif
