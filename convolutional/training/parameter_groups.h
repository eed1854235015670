/* parameter_groups.h - which parameters are stepped how, as a text of wishes:
 *
 *   "norm-bias lr*64 decay/64; head lr*10; stem.* frozen"
 *
 * Wishes stand between ';'. The first word says for which parameters: a role (parameter_roles), or a pattern of names as a shell
 * has them (* ? [a-z]), such as layer1.*.weight. The others say what:
 *   lr*F  lr/F          F of the run's learning rate
 *   decay*F  decay/F    F of the run's weight decay, also where there is none otherwise (biases, norms)
 *   frozen  trained     whether it is left as it is, as what the network itself says is frozen
 *   other               stepped by the rule beside the optimiser's own (--muon-other), where that has one
 * Where two wishes for the same are about one parameter, the later one decides. */

#ifndef CONVZOO_PARAMETER_GROUPS_H
#define CONVZOO_PARAMETER_GROUPS_H

#include "network.h"

/* What holds for one parameter. */
typedef struct ParameterSettings {
    float lr, decay;           /* factors of the run's; without wishes 1, and 1 for weights, 0 for the rest */
    bool  frozen, other;
} ParameterSettings;

/* A weight with more numbers than this is huge: to make its matrix orthogonal, as muon does, takes longer than all else in a step. */
enum { PARAMETER_HUGE = 1 << 23 };

/* "weight bias norm norm-bias norm-weight head huge", with spaces between. */
const char *parameter_roles(void);
/* Whether the parameter belongs to the layer that gives the logits. */
bool parameter_in_head(const Network *network, const Param *param);

/* False and a line if the text is none, or if one of its wishes is about no parameter of the network, unless it is for what is huge. network: NULL before there
 * is one; then only the words count. */
bool parameter_groups_check(const char *text, const Network *network, Error *error);
/* The text must have been checked. */
ParameterSettings parameter_settings(const char *text, const Network *network, const Param *param);

#endif
