/* list.h - a growing array of pointers, for lists whose length is known only when they are done. */

#ifndef CONVZOO_LIST_H
#define CONVZOO_LIST_H

#include <stddef.h>

typedef struct List {
    void **items;
    int    count, room;
} List;

/* Appends and returns item; exits with EXIT_memory if there is no memory. */
void *list_add(List *list, void *item);
/* Frees the array, and with `free_item` every item. */
void  list_clear(List *list, void (*free_item)(void *item));

#endif
