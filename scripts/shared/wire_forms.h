/* wire_forms.h - how the wire between machines is typed: its latency and what a message costs (50us), and its bandwidth (10Gbit); see SettingForm. */

#ifndef CONVZOO_WIRE_FORMS_H
#define CONVZOO_WIRE_FORMS_H

#include "setting.h"

/* double: seconds, from ns, us, ms or s. */
extern const SettingForm form_latency, form_message;
/* double: bytes a second, from kbit, Mbit, Gbit (thousands) or kB, MB, GB, with or without /s. */
extern const SettingForm form_bandwidth;

#endif
