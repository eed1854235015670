/* log_object.h - an epoch as log.jsonl has it. */

#ifndef CONVZOO_LOG_OBJECT_H
#define CONVZOO_LOG_OBJECT_H

#include <jansson.h>

#include "trainer.h"

/* The caller drops it: json_decref. */
json_t *log_object(const TrainerEpoch *epoch);

#endif
