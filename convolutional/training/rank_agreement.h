/* rank_agreement.h - ranks that open a run together: what they have to have in common, and what rank 0 brings.
 *
 * Each function is called by all ranks at the same point. With one rank they do nothing. */

#ifndef CONVZOO_RANK_AGREEMENT_H
#define CONVZOO_RANK_AGREEMENT_H

#include "trainer.h"

/* Everybody goes on as rank 0 does: the plan, when the run ends or is saved, and what a resumed run recalls. */
void rank_agreement_options(Trainer *trainer);

/* False and a line that names a rank and what differs, if ranks have other data, settings, programs, kernels or layouts. */
bool rank_agreement_same_run(const Trainer *trainer, Error *error);

/* Weights, states of the optimizer and of the parts, and where the run stands, become rank 0's. */
void rank_agreement_state(Trainer *trainer);

/* The network's weights and statistics become rank 0's. */
void rank_agreement_weights(Trainer *trainer);

/* False and a line if a rank's weights are not rank 0's, bit for bit. */
bool rank_agreement_same_weights(const Trainer *trainer, Error *error);

#endif
