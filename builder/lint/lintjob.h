/* SPDX-License-Identifier: Apache-2.0 */
/* Lint as a part of a build: its findings are warnings at the end, or errors before anything runs.
 */
#ifndef BLD_BUILDER_LINT_LINTJOB_H
#define BLD_BUILDER_LINT_LINTJOB_H

#include "builder/job.h"

/* Before the first step: a wrong "# check=", and findings that are errors whatever the base images
 * say. ERR_SYNTAX, ERR_USAGE. */
int lintjob_before(struct job *j, struct err **err);

/* After the last step, also when it failed (err is NULL then): warnings, and how many. ERR_SYNTAX
 * for findings that are errors. */
int lintjob_after(struct job *j, struct err **err);

#endif
